"""Each format in each container it may come in: the same records, and who said what of which response."""

import io
import json
import re
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.formats import FORMATS, read, recognised
from annotate.formats.training import EXPORTS
from tests.annotate.formats.samples import CONTAINERS, ROWS, lines, packed, parquet, raw_tsv, table


def records(data: bytes, format: str = "auto") -> list:
    return [one for _, one in read(io.BytesIO(data), format)]


def one(format: str, place: int = 0):
    return records(lines(ROWS[format]), format)[place]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("format", FORMATS)
def test_a_format_is_recognised_in_every_container_and_reads_the_same(format, container):
    for row in ROWS[format]:
        data = (raw_tsv if (format, container) == ("mqm", "tsv") else CONTAINERS[container])([row])
        assert recognised(io.BytesIO(data), "auto") == format
        [(_, plain)], [(_, zipped)] = (list(read(io.BytesIO(part), "auto")) for part in (data, packed(data)))
        assert plain == zipped
        (expected,) = records(lines([row]), format)
        assert (plain.turns, plain.judgements) == (expected.turns, expected.judgements)
        assert [a.text for a in plain.responses] == [a.text for a in expected.responses]


def test_a_table_of_our_own_format_holds_json_in_its_cells():
    assert records(table(ROWS["jsonl"]), "jsonl") == records(lines(ROWS["jsonl"]), "jsonl")
    assert records(parquet(ROWS["jsonl"]), "jsonl") == records(lines(ROWS["jsonl"]), "jsonl")


def test_a_table():
    first, second = records(table(ROWS["table"]))
    verdict = first.judgements[0]
    assert (verdict.ranking, verdict.strength, verdict.ratings) == ([[1], [0]], 2, {"0": {"helpful": 4}})
    assert second.judgements[0].outcome == "tie"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"prompt": "a", "response_a": "b", "response_b": "c", "preference": "d"}, "^line 2: preference is 'd'"),
        ({"prompt": "a", "response_a": "b", "helpful_a": "x"}, "^line 2: 'helpful_a' must be a number"),
        ({"prompt": "a", "response_a": "b", "response_b": "c", "preference": "a", "strength": "4"}, "from 1 to 3"),
    ],
)
def test_a_bad_row_of_a_table_is_named(row, message):
    with pytest.raises(ValueError, match=message):
        records(table([row]))


def test_trl_text_messages_and_shared_starts():
    explicit, chat, implicit = records(lines(ROWS["trl"]))
    assert chat.turns == implicit.turns
    assert chat.judgements == implicit.judgements
    best = [r.responses[r.judgements[0].ranking[0][0]].text for r in (explicit, chat, implicit)]
    assert best == ["So.", "Light scatters.", "Light scatters."]
    (bare,) = records(lines([{"chosen": "The sky is blue.", "rejected": "The sky is green."}]))
    assert (bare.turns[0].content, {a.text for a in bare.responses}) == ("The sky is", {"blue.", "green."})


def test_answers_that_cannot_be_told_apart_come_without_a_verdict():
    same, empty = records(lines([{"prompt": "a", "chosen": "b", "rejected": c} for c in ("b", " ")]))
    assert [(len(r.responses), r.judgements) for r in (same, empty)] == [(1, []), (1, [])]


def test_helpsteer_gathers_the_answers_to_one_prompt():
    found = one("helpsteer")
    assert [answer.text for answer in found.responses] == ["So.", "Because."]
    assert [verdict.ratings for verdict in found.judgements][1]["1"]["helpfulness"] == 1
    row = ROWS["helpsteer"][0] | {
        "prompt": "Hi<extra_id_1>Assistant\nYes?\n<extra_id_1>User\nWhy?\n<extra_id_1>Assistant\n"
    }
    (chat,) = records(lines([row]))
    assert [(turn.role, turn.content) for turn in chat.turns] == [
        ("user", "Hi"),
        ("assistant", "Yes?"),
        ("user", "Why?"),
    ]


def test_helpsteer_preference_below_zero_is_the_first():
    (second,), (third,) = one("helpsteer-preference").judgements, one("helpsteer-preference", 1).judgements
    assert (second.ranking, second.strength, second.rationale) == ([[0], [1]], 2, "A")
    assert (third.ranking, third.strength, third.rationale) == ([[1], [0]], 1, "Better.\n\na\n\nb")


def test_ultrafeedback_is_a_machines():
    (verdict,) = one("ultrafeedback").judgements
    assert (verdict.source, verdict.rater, verdict.ratings) == ("machine", "gpt-4", {"0": {"helpfulness": 5}})
    assert verdict.rationales == {"0": {"helpfulness": "It follows."}}
    assert one("ultrafeedback-binarized").judgements[0].source == "machine"


def test_reward_bench_of_both_editions():
    first, second = one("reward-bench"), one("reward-bench", 1)
    assert {a.text: a.source for a in first.responses} == {"So.": "a", "No.": "b"}
    assert {a.text: a.source for a in second.responses} == {"Thus.": "a", "Not.": "b", "Nope.": "c"}
    best, worse = second.judgements[0].ranking
    assert ([second.responses[n].text for n in best], len(worse)) == (["Thus."], 2)


def test_prm800k_follows_the_labeller():
    found = one("prm800k")
    answer, verdict = found.responses[0], found.judgements[0]
    assert [answer.text[step.start : step.end] for step in answer.steps] == ["2 + 2 = 4.", "So 9."]
    assert (verdict.steps, verdict.rater, verdict.active_ms) == ({"0": [1, -1]}, "l1", 1200)
    assert answer.metadata["alternatives"][1][0]["text"] == "So 8."


def test_of_steps_after_the_first_mistake_nothing_is_said():
    assert one("bigbench-mistake").judgements[0].steps == {"0": [1, -1, None]}


def test_mqm_spans_raters_and_omissions():
    first, second = records(raw_tsv(ROWS["mqm"]))
    marked, clean = first.judgements
    (span,) = marked.spans
    assert (span.start, span.quote, span.category, span.severity) == (6, 'sle"ept', "accuracy-mistranslation", 2)
    assert (clean.rater, clean.checked) == ("rater2", [0])
    assert second.judgements[0].omissions[0].note == "Accuracy/Omission: Sehr"


def test_mqm_lines_of_one_segment_must_stand_together():
    rows = ROWS["mqm"]
    with pytest.raises(ValueError, match=r"^line 4: this segment stood further up"):
        records(raw_tsv([rows[0], rows[2], rows[1]]))


def test_pandalm_names_raters_and_models():
    found = one("pandalm")
    assert next((v.rater, v.ranking) for v in found.judgements) == ("annotator1", [[0], [1]])
    assert (found.judgements[1].outcome, found.responses[1].source) == ("tie", "llama-7b")


def test_hanna_rates_six_criteria():
    assert one("hanna").judgements[0].ratings["0"]["relevance"] == 4


def test_argilla_by_rater():
    first, second, machine = one("argilla").judgements
    assert (first.rater, first.ranking, first.ratings) == ("u1", [[0], [1]], {"0": {"quality": 4}})
    assert (first.rationale, second.spans[0].quote) == ("It is right.", "wrong")
    assert (machine.source, machine.rater, machine.ranking) == ("machine", "gpt", [[1], [0]])


def test_argilla_as_columns_of_a_dataset():
    row = {"id": "r", "instruction": "Why?", "response_1": "So.", "response_2": "No.", "best.suggestion": "response_2"}
    row |= {"best.responses": ["response_1", "response_2"], "best.responses.users": ["u", "v"]}
    row |= {"best.responses.status": ["submitted", "draft"], "best.suggestion.agent": "gpt"}
    (found,) = records(lines([row]))
    assert [(v.rater, v.source, v.ranking[0]) for v in found.judgements] == [
        ("u", "imported", [0]),
        ("gpt", "machine", [1]),
    ]
    old = {"prompt": "Why?", "answer": "So.", "score": [{"user_id": "u", "value": 3, "status": "submitted"}]}
    (found,) = records(lines([old | {"score-suggestion": None}]))
    assert found.judgements[0].ratings == {"0": {"score": 3}}


def test_label_studio_counts_in_utf_16_units():
    found = one("label-studio")
    person, machine = found.judgements
    (span,) = person.spans
    assert (span.start, span.end, span.quote, span.category) == (2, 7, "wrong", "wrong-fact")
    assert (person.ranking, person.ratings, person.rationale) == ([[1], [0]], {"1": {"helpfulness": 4}}, "Reads well.")
    assert (person.active_ms, person.rater, machine.source) == (12500, "3", "machine")


def test_what_has_no_place_is_kept_and_a_cut_character_is_named():
    row = json.loads(json.dumps(ROWS["label-studio"][0]))
    row["annotations"][0]["result"][0] = {"type": "choices", "from_name": "mood", "value": {"choices": ["sad"]}}
    (found,) = records(lines([row]))
    assert found.metadata["label_studio"][0]["from_name"] == "mood"
    row["annotations"][0]["result"][2] = {
        "type": "labels",
        "to_name": "answer1",
        "value": {"start": 1, "end": 4, "labels": ["x"]},
    }
    with pytest.raises(ValueError, match="cuts a character"):
        records(lines([row]))


def test_a_gzip_file_that_unpacks_to_too_much_is_refused():
    bomb = packed(lines(ROWS["trl"]) + (b"\n" + b" " * 2**20) * 70)
    with pytest.raises(ValueError, match="the gzip file unpacks to more than 100 times its size"):
        records(bomb)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (packed(lines(ROWS["trl"]))[:-9], "the gzip file is broken or cut"),
        (packed(packed(lines(ROWS["trl"]))), "^line 1: not UTF-8"),
        (parquet(ROWS["trl"])[:-9], "the Parquet file: "),
        (b"plain words\nand more", "^line 1: the file is neither JSON"),
        (b"a,a\n1,2", "^line 1: two columns have the same name"),
        (b'a,b\n1,"2', "^line 2: unexpected end of data"),
        (b"a,b\n1,2,3", "^line 2: 3 cells under a header of 2"),
        (b"a,b\n1,2", r"^line 2: the fields \(a, b\) are those of no format"),
        (b"", "the file holds no items"),
        (b"a,b\n1,\x00", "line 2: .*(NUL|cannot be stored)"),
    ],
)
def test_a_broken_container_is_named(data, message):
    with pytest.raises(ValueError, match=message):
        records(data)


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(ValueError, match="'xml' is not one of the formats auto, jsonl, table, trl"):
        recognised(io.BytesIO(b"{}"), "xml")


def test_the_documentation_names_every_format_and_its_table_is_read():
    page = Path(__file__).resolve().parents[3].joinpath("docs", "formats.md").read_text()
    assert all(f"`{name}`" in page for name in (*FORMATS, *EXPORTS))
    (table_of_docs,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    (found,) = records(table_of_docs.encode())
    assert (found.judgements[0].strength, found.judgements[0].ratings) == (3, {"0": {"helpful": 5}})


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "format", "items", "judgements"),
    [("pandalm_testset_v1.jsonl", "pandalm", 999, 2835), ("bigbench_mistake.jsonl", "bigbench-mistake", 1800, 1800)],
)
def test_real_files_are_recognised_and_read_whole(human_data, name, format, items, judgements):
    # 54 of PandaLM's items have an empty answer, which cannot be shown or judged.
    with (human_data / name).open("rb") as file, tempfile.TemporaryFile() as zipped:
        assert recognised(file, "auto") == format
        file.seek(0)
        zipped.write(packed(file.read()))
        zipped.seek(0)
        found = [one for _, one in read(zipped, "auto")]
    assert (len(found), sum(len(one.judgements) for one in found)) == (items, judgements)


def test_a_parquet_file_that_says_one_text_a_million_times_is_refused():
    table = pa.table({"prompt": ["why?"] * 3000, "chosen": ["because " * 6000] * 3000, "rejected": ["no"] * 3000})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    assert file.tell() < 100_000
    with pytest.raises(ValueError, match=r"the file holds more than 100 times its size"):
        list(read(file, "trl"))
