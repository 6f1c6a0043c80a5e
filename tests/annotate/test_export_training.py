"""Judgements → rows for training, by hand-worked cases; and which judgements are in."""

import io
import json
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotate.formats.jsonl import record
from annotate.formats.training import EXPORTS
from annotate.formats.votes import settled
from annotate.models import Judgement
from annotate.models.task import AssignmentKind
from annotate.schema import Criterion, Schema
from annotate.services.exported import Export, export_chunks, export_rows
from annotate.services.item import import_items
from annotate.services.project import create_project

WINS = {"shown": [0, 1], "outcome": "ranking", "ranking": [[0], [1]]}
LOSES = WINS | {"ranking": [[1], [0]]}
TIE = {"shown": [1, 0], "outcome": "tie"}
SPAN = {"response": 1, "start": 0, "end": 1, "quote": "b", "category": "wrong", "severity": 2}
RUBRIC = Schema(
    criteria=(
        Criterion(key="helpful", label="Helpful", weight=3),  # 1 … 5
        Criterion(key="true", label="True", kind="yes_no"),
    )
)


def made(*judgements: dict, **item: object):
    return record({"prompt": "Why?", "responses": ["a", "b", "c"], "judgements": list(judgements)} | item)


def rows(format: str, *judgements: dict, together: bool = True, **item: object) -> list[dict]:
    return list(EXPORTS[format](made(*judgements, **item), together, RUBRIC))


def texts(row: dict, name: str) -> str:
    return row[name][0]["content"]


def test_a_pair_by_majority_with_its_margin_share_and_spans():
    votes = [WINS | {"strength": 3, "spans": [SPAN]}, WINS | {"strength": 1, "weight": 2.0}, LOSES | {"strength": 2}]
    (row,) = rows("reward", *votes)
    assert (texts(row, "chosen"), texts(row, "rejected")) == ("a", "b")
    assert (row["margin"], row["soft_label"], row["weight"], row["raters"]) == (round(2 / 3, 6), 0.75, 4.0, 3)
    assert row["rejected_spans"] == [{"start": 0, "end": 1, "category": "wrong", "severity": 2}]
    assert row["chosen_spans"] == []


def test_ratings_are_one_number_by_the_weights_of_the_criteria():
    one = WINS | {"ratings": {"0": {"helpful": 4, "true": 1}, "1": {"true": 0}}}  # (3 · ¾ + 1 · 1) / 4
    (row,) = rows("reward", one, WINS | {"ratings": {"0": {"helpful": 2}}}, WINS)
    assert (row["chosen_rating"], row["rejected_rating"]) == ((0.8125 + 0.25) / 2, 0.0)
    (row,) = rows("reward", WINS)
    assert (row["chosen_rating"], row["rejected_rating"]) == (None, None)


def test_a_draw_gives_no_row_and_each_judgement_its_own():
    assert rows("preference", WINS, LOSES) == []
    assert [texts(row, "chosen") for row in rows("preference", WINS, LOSES, TIE, together=False)] == ["a", "b"]


def test_a_ranking_is_its_pairs():
    ranking = {"shown": [0, 1, 2], "outcome": "ranking", "ranking": [[2], [0, 1]]}
    assert [(texts(r, "chosen"), texts(r, "rejected")) for r in rows("dpo", ranking)] == [("c", "a"), ("c", "b")]


def test_kto_from_wins_losses_and_both_bad():
    bad = {"shown": [0, 2], "outcome": "both_bad"}
    assert [(texts(r, "completion"), r["label"]) for r in rows("kto", WINS, TIE, bad)] == [("b", False), ("c", False)]


def test_sft_takes_what_raters_wrote_and_what_always_won():
    wrote = LOSES | {"corrections": {"0": "A!"}, "demonstration": "Mine."}
    found = [(texts(row, "completion"), row["kind"]) for row in rows("sft", wrote)]
    assert found == [("Mine.", "demonstration"), ("A!", "rewrite"), ("b", "chosen")]


def test_steps_end_where_nobody_spoke():
    answer = {"text": "x y z", "steps": [{"start": n, "end": n + 1} for n in (0, 2, 4)]}
    alone = {"shown": [0], "outcome": "ranking", "ranking": [[0]]}
    said = [alone | {"steps": {"0": labels}} for labels in ([1, -1, None], [1, 0, None], [0, -1, None])]
    (row,) = rows("prm", *said, responses=[answer])
    assert (row["prompt"], row["completions"], row["labels"]) == ("Why?", ["x", "y"], [True, False])


def test_what_there_was_to_read_stands_first():
    (row,) = rows("preference", WINS, context=[{"title": "T", "text": "Facts."}])
    assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
    assert row["prompt"][0]["content"] == "T\nFacts."


def test_a_reviewers_decision_stands_for_the_judgements_of_that_pair():
    decided = LOSES | {"source": "adjudicated"}
    other = {"shown": [0, 2], "outcome": "ranking", "ranking": [[2], [0]]}
    kept = settled(made(WINS, decided, WINS, other).judgements)
    assert [verdict.ranking for verdict in kept] == [[[1], [0]], [[2], [0]]]


def bring_in(project, *judgements, number: int = 0) -> None:
    row = {"prompt": f"Q{number}?", "responses": ["a", "b"], "judgements": list(judgements)}
    import_items(project=project, file=io.BytesIO(json.dumps(row).encode()), format="jsonl")


def raters(project, **export: object) -> int:
    return sum(row["raters"] for row in export_rows(project=project, export=Export(format="reward", **export)))


def test_machines_come_only_when_asked_and_known_answers_never(project):
    said = [WINS | {"rater": name, "source": name} for name in ("human", "imported", "machine", "simulated")]
    bring_in(project, *said)
    assert (raters(project), raters(project, sources=("machine",)), raters(project, sources=("human", "machine"))) == (
        2,
        1,
        2,
    )
    Judgement.objects.filter(source="human").update(kind=AssignmentKind.GOLD)
    Judgement.objects.filter(source="imported").update(kind=AssignmentKind.REPEAT)
    assert raters(project) == 0


def test_an_export_goes_on_after_the_last_item_that_arrived(project):
    for number in range(5):
        bring_in(project, WINS, number=number)
    export = Export(format="preference")
    whole = list(export_rows(project=project, export=export))
    rest = list(export_rows(project=project, export=Export(format="preference", after=whole[1]["item"])))
    assert whole[:2] + rest == whole
    ends = list(export_rows(project=project, export=Export(after=whole[-1]["item"])))
    assert ends == []


@pytest.mark.parametrize("format", EXPORTS)
def test_an_empty_parquet_file_has_its_columns(project, format):
    import pyarrow.parquet as pq

    data = b"".join(export_chunks(project=project, export=Export(format=format, container="parquet")))
    table = pq.read_table(io.BytesIO(data))
    assert (table.num_rows, {"item", "cursor"} & set(table.column_names) != set()) == (0, True)


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).map(
    "a{}".format
)
KEYS = st.sampled_from(["helpful", "clarity"])


@st.composite
def items(draw) -> dict:
    """Any item of our own format with verdicts of every shape."""
    count = draw(st.integers(2, 4))
    texts = draw(st.lists(WORDS, min_size=count, max_size=count, unique=True))
    return {
        "turns": [{"role": "system", "content": draw(WORDS)}, {"role": "user", "content": draw(WORDS)}],
        "responses": [{"text": t, "source": draw(WORDS), "steps": [{"start": 0, "end": 1}]} for t in texts],
        "context": draw(st.lists(st.builds(dict, title=WORDS, text=WORDS), max_size=1)),
        "metadata": draw(st.dictionaries(WORDS, st.integers() | st.none() | WORDS, max_size=2)),
        "judgements": [draw(verdicts(texts)) for _ in range(draw(st.integers(0, 3)))],
    }


@st.composite
def verdicts(draw, texts: list[str]) -> dict:
    shown = draw(st.permutations(range(len(texts))))
    place = draw(st.sampled_from(shown))
    outcome = draw(st.sampled_from(["ranking", "tie", "both_bad", "cannot_judge"]))
    said = {"shown": shown, "outcome": outcome, "rater": draw(WORDS), "weight": draw(st.floats(0, 9))}
    if outcome == "ranking":
        said |= {"ranking": [[shown[0]], shown[1:]], "strength": draw(st.integers(1, 3))}
    said |= {"reason": draw(WORDS)} if outcome == "cannot_judge" else {}
    span = {"response": place, "start": 0, "end": 1, "quote": "a", "category": draw(st.sampled_from(["wrong", "odd"]))}
    said |= {"spans": [span | {"note": draw(WORDS)}], "steps": {str(place): [draw(st.sampled_from([-1, 0, 1, None]))]}}
    said |= {"omissions": [{"response": place, "at": 1, "note": draw(WORDS)}], "demonstration": draw(WORDS)}
    said |= {"ratings": {str(place): draw(st.dictionaries(KEYS, st.integers(1, 5)))}, "rationale": draw(WORDS)}
    said |= {"source": draw(st.sampled_from(["human", "machine", "imported", "simulated", "adjudicated"]))}
    said |= {"corrections": {str(place): draw(WORDS)}, "active_ms": draw(st.integers(0, 10**6))}
    said |= {"kind": draw(st.sampled_from(AssignmentKind.values)), "right": draw(st.sampled_from([True, False, None]))}
    said |= {"served": draw(WORDS), "probability": draw(st.floats(0, 1))}
    return said | {"principles": ["kind"], "safety": {str(place): {"harm": 2}}}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(items(), min_size=1, max_size=3), st.sampled_from(["jsonl", "parquet"]))
def test_whatever_goes_out_comes_back_the_same(db, rows, container):
    first, second = (create_project(slug=uuid4().hex, name="R") for _ in "ab")
    data = "\n".join(map(json.dumps, rows)).encode()
    import_items(project=first, file=io.BytesIO(data), format="jsonl")
    out = b"".join(export_chunks(project=first, export=Export(container=container)))
    import_items(project=second, file=io.BytesIO(out), format="jsonl")
    assert whole(first) == whole(second)
    assert len(whole(first)) <= len(rows)


def whole(project) -> list[dict]:
    return [{k: v for k, v in row.items() if k != "cursor"} for row in export_rows(project=project, export=Export())]
