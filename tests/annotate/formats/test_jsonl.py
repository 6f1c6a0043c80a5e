"""Our own format: what is written reads back the same, and an inconsistent record does not exist."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.formats.jsonl import line, record
from annotate.formats.record import Record, Verdict, make, prompt_sha256, split_of
from annotate.schema import Schema

FULL = {
    "id": "q1",
    "turns": [
        {"role": "system", "content": ""},
        {"role": "user", "content": "Which?"},
        {"role": "assistant", "content": "That."},
        {"role": "user", "content": "Sure?"},
    ],
    "context": [{"title": "Facts", "text": "It is that."}, {"text": "Or this."}],
    "responses": [{"text": "Yes 🙂 it is.", "source": "model-a", "metadata": {"t": 0.7}}, {"text": "No."}],
    "metadata": {"topic": "choice"},
    "judgements": [
        {
            "shown": [1, 0],
            "outcome": "ranking",
            "ranking": [[0], [1]],
            "strength": 3,
            "spans": [
                {"response": 1, "start": 0, "end": 3, "quote": "No.", "category": "wrong", "severity": 2, "note": "!"},
                {"response": 0, "start": 4, "end": 5, "quote": "🙂", "category": "tone", "correction": "."},
            ],
            "omissions": [{"response": 1, "at": 3, "note": "why", "severity": 1}],
            "ratings": {"0": {"helpful": 4}, "1": {"helpful": 1}},
            "rationale": "It answers.",
            "corrections": {"1": "Yes."},
            "rater": "dana",
            "weight": 0.5,
        },
        {"shown": [0, 1], "outcome": "cannot_judge", "reason": "in another language"},
        {"shown": [0], "outcome": "ranking", "ranking": [[0]], "checked": [0]},
    ],
}


def changed(path: str, value: object) -> dict:
    """FULL with the value at a dotted path replaced."""
    row = json.loads(json.dumps(FULL))
    *way, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    place = row
    for part in way:
        place = place[part]
    place[last] = value
    return row


def test_what_is_written_reads_back_the_same():
    assert record(json.loads(line(record(FULL)))) == record(FULL)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_any_text_survives(texts):
    texts = [f"{text}." for text in texts]
    one = make(turns=[{"role": "user", "content": texts[0]}], responses=[{"text": text} for text in texts])
    assert record(json.loads(line(one))) == one


def test_equal_verdicts_are_equal_records():
    verdict = FULL["judgements"][0]
    spans = verdict["spans"][::-1]
    other = {**FULL, "judgements": [verdict | {"spans": spans, "rationale": " It answers.\n"}, *FULL["judgements"][1:]]}
    assert line(record(other)) == line(record(FULL))


def test_shorthand():
    short = record({"prompt": "Why?", "context": ["Because."], "responses": ["So.", {"text": "Not so."}]})
    assert short.turns[0].role == "user"
    assert [answer.text for answer in short.responses] == ["So.", "Not so."]
    assert short.context[0].text == "Because."


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"responses": ["a"]}, "^turns: Field required"),
        ({"prompt": "a", "turns": [], "responses": ["a"]}, "^prompt and turns exclude each other"),
        ({"prompt": 1, "responses": ["a"]}, r"^turns\.0\.content: Input should be a valid string"),
        ({"prompt": "a", "responses": "a"}, "^'responses' must be a list, as JSON"),
        ({"prompt": "a", "responses": "{}"}, "^'responses' must be a list"),
        ({"prompt": " \n", "responses": ["a"]}, "^the last turn must be the user's and not empty"),
        (changed("turns.3.role", "assistant"), "^the last turn must be the user's"),
        (changed("turns.0.role", "tool"), r"^turns\.0\.role: Input should be 'system', 'user' or 'assistant'"),
        (changed("responses.1.text", " \t"), r"^responses\.1\.text: String should match pattern"),
        (changed("respones", []), "^respones: Extra inputs are not permitted"),
        (changed("id", 7), "^id: Input should be a valid string"),
        (changed("judgements.0.shown", [0, 0]), r"^judgements\.0: shown names a response twice"),
        (changed("judgements.1.shown", [0, 2]), "^a judgement shows response 2, but there are 2"),
        (changed("judgements.0.ranking", [[0]]), r"^judgements\.0: ranking must hold every response of a pair"),
        (
            changed("judgements.0.ranking", [[0], [1], []]),
            r"^judgements\.0: ranking must hold shown responses, each once",
        ),
        (changed("judgements.0.ranking", [[0, 1]]), "a single tie-group; its outcome is 'tie'"),
        (changed("judgements.1.ranking", [[0], [1]]), r"^judgements\.1: ranking must hold nothing"),
        (changed("judgements.1.reason", " "), "reason must say why"),
        (changed("judgements.0.reason", "dull"), "reason must say why it could not be judged, and nothing else"),
        (changed("judgements.1.strength", 1), "strength belongs to a ranking"),
        (changed("judgements.0.strength", 4), r"^judgements\.0\.strength: Input should be less than or equal to 3"),
        (changed("judgements.0.strength", True), r"^judgements\.0\.strength: Input should be a valid integer"),
        (changed("judgements.0.weight", -1), r"^judgements\.0\.weight"),
        (changed("judgements.0.checked", [1]), "response 1 is checked with nothing to mark, and marked"),
        (changed("judgements.2.checked", [1]), "response 1 is marked or rated but was not shown"),
        (changed("judgements.0.ratings", {"x": {}}), "'x' is not the place of a response"),
        (changed("judgements.0.ratings", {"٣": {}}), "is not the place of a response"),
        (changed("judgements.0.spans.0.end", 4), r"^span 0–4 lies outside response 1 \(3 long\)"),
        (changed("judgements.0.spans.0.quote", "No?"), "^the quote of span 0–3 is not what response 1 says there"),
        (changed("judgements.0.spans.1.end", 6), "^the quote of span 4–6"),  # an emoji is one code point, not two
        (changed("judgements.0.spans.0.category", "Not A Key"), r"^judgements\.0\.spans\.0\.category"),
        (changed("judgements.0.omissions.0.at", 4), "^an omission at 4 lies outside its response"),
    ],
)
def test_an_inconsistent_record_is_named(row, message):
    with pytest.raises(ValueError, match=message):
        record(row)


def test_the_split_goes_by_the_conversation_alone():
    one = record({"prompt": "Why?", "responses": ["a"]})
    other = record({"prompt": "Why?", "context": ["x"], "responses": ["b", "c"], "id": "z"})
    assert prompt_sha256(one.turns) == prompt_sha256(other.turns)
    assert prompt_sha256(one.turns) != prompt_sha256(record({"prompt": "Why? ", "responses": ["a"]}).turns)


def test_a_fifth_of_prompts_is_held_out():
    hashes = [prompt_sha256(record({"prompt": str(n), "responses": ["a"]}).turns) for n in range(2000)]
    assert 340 < sum(split_of(one) == "test" for one in hashes) < 460
    assert split_of("33333332" + "f" * 56) == "test"
    assert split_of("33333334" + "0" * 56) == "train"


def test_the_examples_of_the_documentation_are_read():
    page = Path(__file__).resolve().parents[3].joinpath("docs", "formats.md").read_text()
    blocks = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    item, verdict, schema, answer = blocks
    one = record(item | {"judgements": [verdict]})
    assert one.judgements[0].spans[0].quote == "An oak"
    assert Schema.model_validate(schema).categories[0].key == one.judgements[0].spans[0].category
    assert answer["response"] in item["responses"]
    for model in (Record, Verdict):
        assert all(f"`{name}`" in page for name in model.model_fields)
