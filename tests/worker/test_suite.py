"""Suites: what is frozen, that it stays frozen, and how versions stand on it."""

import csv
import io
import json

import pytest
from django.core.exceptions import ValidationError

from annotate.models import Item, Judgement
from annotate.services.item import import_items
from tests.inspector.making import make_version
from tests.worker.conftest import PROMPTS, jsonl, row
from worker.models import SuiteAnswer, SuiteAnswerScore, SuitePair, SuiteScore
from worker.services.standing import credits, leaderboard, made_of, marks, settle, sheet
from worker.services.suite import (
    category_of,
    check_frozen,
    digest,
    freeze_held_out,
    import_suite,
    known_prompts,
    questions_of,
)

REWARD_BENCH = [
    {"prompt": f"What is {n} + 1?", "chosen": str(n + 1), "rejected": str(n), "subset": "math" if n % 2 else "sums"}
    for n in range(6)
]


@pytest.fixture
def suite(project):
    return import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")


def scored(version, suite, *right):
    """The version's scores: 1 right, 0 wrong, ½ the same for both."""
    rows = zip(suite.pairs.order_by("pk"), right, strict=True)
    SuiteScore.objects.bulk_create(
        SuiteScore(version=version, pair=pair, chosen=value, rejected=0.5) for pair, value in rows
    )
    settle(suite, [version])


def test_a_file_of_pairs_becomes_a_frozen_suite(suite):
    pairs = list(suite.pairs.order_by("pk"))
    assert [(p.chosen, p.rejected, p.category) for p in pairs[:2]] == [("1", "0", "sums"), ("2", "1", "math")]
    assert suite.sha256 == digest(reversed(pairs))
    check_frozen(suite, pairs)
    SuitePair.objects.filter(pk=pairs[0].pk).update(chosen="another")
    with pytest.raises(ValueError, match="not those that were frozen"):
        check_frozen(suite, suite.pairs.all())


def test_votes_decide_and_what_is_undecided_is_counted(project):
    said = [{"shown": [0, 1], "outcome": "ranking", "ranking": [[w], [1 - w]]} for w in (0, 0, 1)]
    tied = [{"shown": [0, 1], "outcome": "tie"}, {"shown": [1, 0], "outcome": "cannot_judge", "reason": "?"}]
    rows = [
        {"prompt": "a", "responses": ["good", "bad"], "judgements": said},
        {"prompt": "b", "responses": ["good", "bad"], "judgements": tied},
        {"prompt": "c", "responses": ["same", "same"], "judgements": said[:1]},
    ]
    suite = import_suite(project=project, name="votes", file=jsonl(*rows), format="jsonl")
    assert [(p.chosen, p.rejected) for p in suite.pairs.all()] == [("good", "bad")]
    assert project.events.get(kind="suite.frozen").data["undecided"] == 1


def test_the_held_out_prompts_of_a_project_become_a_suite(judged):
    suite = freeze_held_out(project=judged, name="held out")
    held = set(Item.objects.filter(split="test").values_list("prompt_sha256", flat=True))
    assert set(suite.pairs.values_list("prompt_sha256", flat=True)) == held
    assert all("museum" in pair.chosen for pair in suite.pairs.all())
    assert not known_prompts(suite)


def test_it_stays_as_it_was_when_people_judge_on(judged):
    before = freeze_held_out(project=judged, name="before")
    import_items(project=judged, file=jsonl(*map(row, range(PROMPTS, 2 * PROMPTS))), format="jsonl")
    check_frozen(before, before.pairs.all())
    assert freeze_held_out(project=judged, name="after").sha256 != before.sha256


def test_withdrawn_verdicts_are_not_frozen(judged):
    Judgement.objects.update(superseded=True)
    with pytest.raises(ValidationError, match="no pair"):
        freeze_held_out(project=judged, name="nothing")


def test_prompts_that_versions_train_on_are_known(judged):
    rows = [row(n) for n in range(PROMPTS)]
    suite = import_suite(project=judged, name="all", file=jsonl(*rows), format="jsonl")
    trained = set(Item.objects.filter(split="train").values_list("prompt_sha256", flat=True))
    assert known_prompts(suite) == trained


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no items|no pair"),
        (b'{"prompt": "a", "chosen": "b"}\n', "line 1"),
        (json.dumps(REWARD_BENCH[0]).encode() + b"\nnonsense", "line 2"),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_kept(project, content, message):
    file = jsonl()
    file.write(content)
    with pytest.raises(ValidationError, match=message):
        import_suite(project=project, name="core", file=file, format="reward-bench")
    assert not project.suites.exists()


def test_a_name_is_taken_once(project, suite):
    with pytest.raises(ValidationError, match="'core' already"):
        import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")


def test_the_category_is_the_first_name_that_is_there():
    assert category_of({"subset": "math", "category": "hard"}) == "hard"
    assert category_of({"section": "x" * 99}) == "x" * 60
    assert category_of({"category": ["a list"]}) == ""


def test_the_leaderboard_counts_ties_half_and_keeps_categories_apart(project, suite):
    one, two = make_version(project, 1), make_version(project, 2)
    scored(one, suite, 1, 1, 1, 0, 0.5, 0)  # sums: 1, 1, ½; math: 1, 0, 0
    scored(two, suite, 1, 1, 1, 1, 1, 0)
    best, worse = leaderboard(suite)
    assert (best.version, worse.version) == (two, one)
    assert worse.accuracy.value == pytest.approx(3.5 / 6)
    assert {name: found.value for name, found in worse.categories.items()} == pytest.approx(
        {"sums": 2.5 / 3, "math": 1 / 3}
    )
    assert worse.accuracy.low < 3.5 / 6 < worse.accuracy.high
    assert marks(suite, sheet(suite), one).credit.tolist() == [1, 1, 1, 0, 0.5, 0]


def test_a_file_of_too_many_pairs_is_refused_by_its_line(project, monkeypatch):
    many = [f"answer {n}" for n in range(300)]
    said = {"shown": list(range(300)), "outcome": "ranking", "ranking": [[n] for n in range(300)]}
    huge = jsonl({"prompt": "a", "responses": many, "judgements": [said]})
    with pytest.raises(ValidationError, match="1: a ranking of a suite holds at most 256"):
        import_suite(project=project, name="core", file=huge, format="jsonl")
    monkeypatch.setattr("worker.services.suite.MOST_PAIRS", 4)
    with pytest.raises(ValidationError, match="5: a suite holds at most 4 pairs"):
        import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    assert not project.suites.exists()


# ---- Questions, as RewardBench 2 asks them

SECOND = [
    {"id": "7", "prompt": "What is 1 + 1?", "chosen": ["2"], "rejected": ["3", "", "3"], "subset": "Math"},
    {"id": "ref:1", "prompt": "Name red.", "chosen": ["red"], "rejected": ["blue"], "subset": "Ties"},
    {
        "id": "tied:1",
        "prompt": "Name a colour.",
        "chosen": ["red", "blue"],
        "rejected": ["one", "two"],
        "subset": "Ties",
    },
]


@pytest.fixture
def second(project):
    return import_suite(project=project, name="second", file=jsonl(*SECOND), format="reward-bench")


def values(version, suite, **said):
    """The version's scores of answers: by their text, 0 for another."""
    answers = SuiteAnswer.objects.filter(question__suite=suite).order_by("pk")
    SuiteAnswerScore.objects.bulk_create(
        SuiteAnswerScore(version=version, answer=one, value=said.get(one.text, 0.0)) for one in answers
    )
    settle(suite, [version])


def test_a_row_with_several_answers_becomes_a_question_with_all_of_them(second):
    math, ref, tied = questions_of(second)
    assert [(a.text, a.correct) for a in math.answers.order_by("pk")] == [("2", 1), ("3", 0), ("", 0), ("3", 0)]
    assert [(one.kind, one.category, one.name) for one in (ref, tied)] == [
        ("ties", "Ties", "ref:1"), ("ties", "Ties", "tied:1"),
    ]  # fmt: skip
    assert not second.pairs.exists()


def test_the_hash_covers_the_answers(second):
    check_frozen(second, [], questions_of(second))
    SuiteAnswer.objects.filter(text="2").update(correct=False)
    with pytest.raises(ValueError, match="not those that were frozen"):
        check_frozen(second, [], questions_of(second))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chosen": []}, "line 2: 'chosen' is missing"),
        ({"rejected": [1]}, "line 2: 'rejected' must hold strings"),
        ({"prompt": " "}, "line 2: turns|line 2: the last turn"),
        ({"id": "1"}, "line 2: 'id' of a row of Ties must be ref:N or tied:N"),
        ({"id": "tied:1"}, "line 2: a tied question needs two"),
        ({"subset": ["Ties"]}, "line 2: 'subset' must be a string"),
        ({"rejected": ["blue"] * 256}, "line 2: a question of a suite holds at most 256 answers"),
    ],
)
def test_a_bad_question_is_named_by_its_line_and_nothing_is_kept(project, change, message):
    file = jsonl(SECOND[0], SECOND[1] | change)
    with pytest.raises(ValidationError, match=message):
        import_suite(project=project, name="second", file=file, format="reward-bench")
    assert not project.suites.exists()


def test_the_same_rows_in_a_table_are_the_same_suite(project, second):
    cells = [[row[n] if isinstance(row[n], str) else json.dumps(row[n]) for n in SECOND[0]] for row in SECOND]
    text = io.StringIO()
    csv.writer(text).writerows([list(SECOND[0]), *cells])
    table = io.BytesIO(text.getvalue().encode())
    assert import_suite(project=project, name="table", file=table, format="auto").sha256 == second.sha256


def test_questions_stand_on_the_leaderboard_by_their_own_rules(project, second):
    values(make_version(project), second, **{"2": 1.0, "3": 1.0, "red": 2.0, "blue": 1.0})
    found = leaderboard(second)[0]
    assert found.categories["Math"].value == pytest.approx(1 / 3)
    assert found.accuracy.value == pytest.approx((1 / 3 + 1 + 1) / 3)
    assert found.ties["Ties"]["preferred"] == 0  # the gap of 1 is no wider than the spread of 1
    assert found.categories["Ties"].value == pytest.approx(0.6)


def test_how_a_version_stands_is_read_without_its_scores_until_they_change(project, suite, django_assert_num_queries):
    version = make_version(project)
    scored(version, suite, 1, 1, 1, 1, 1, 1)
    with django_assert_num_queries(1) as asked:
        before = leaderboard(suite)
    assert "suitescore" not in asked.captured_queries[0]["sql"]
    assert before[0].accuracy.value == 1
    first = made_of(version, suite)
    SuiteScore.objects.all().delete()
    scored(version, suite, 0, 0, 0, 0, 0, 0)
    assert leaderboard(suite)[0].accuracy.value == 0
    assert made_of(version, suite) != first


def test_what_a_version_gets_for_each_row_is_kept(project, suite):
    one, two = make_version(project, 1), make_version(project, 2)
    scored(one, suite, 1, 1, 1, 0, 0.5, 0)
    assert {pk: found.tolist() for pk, found in credits(suite, [one.pk, two.pk]).items()} == {
        one.pk: [1, 1, 1, 0, 0.5, 0]
    }
    assert made_of(two, suite) == ""


def test_rows_that_compare_nothing_are_counted(project):
    same = REWARD_BENCH[0] | {"rejected": "1"}
    import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH, same), format="reward-bench")
    assert project.events.get(kind="suite.frozen").data["unsaid"] == 1
