"""What a file holds, and what a schema gains by it."""

import pytest

from annotate.formats.holds import Holds, added, admit, names_maker, names_model
from annotate.formats.jsonl import record
from annotate.schema import DEFAULT, Schema


def holding(*judgements: dict) -> Holds:
    found = Holds()
    found.add(record({"prompt": "Why?", "responses": ["a", "b"], "judgements": list(judgements)}))
    return found


@pytest.mark.parametrize(
    ("text", "maker", "model"),
    [
        ("As an AI language model developed by OpenAI, I cannot.", True, True),
        ("I'm Claude, here to help.", True, False),
        ("I am ChatGPT.", True, False),
        ("as a large language model I …", False, True),
        ("The bridge was built by Metallica fans.", False, False),
        ("I am a cloud; Claude Monet painted me.", False, False),
        ("He works as an airman.", False, False),
    ],
)
def test_a_response_that_says_who_wrote_it(text, maker, model):
    assert (names_maker(text), names_model(text)) == (maker, model)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1, 5], ("likert", 1, 5)),
        ([0, 4], ("likert", 0, 4)),
        ([7, 2], ("likert", 1, 7)),
        ([0, 9], ("likert", 0, 9)),
        ([1, 10], ("likert", 1, 10)),
        ([2, 3.5], ("number", 1, 5)),
        ([-3, 40], ("number", -3, 40)),
        ([99.5, 99.5], ("number", 99, 100)),
    ],
)
def test_a_new_criterion_gets_the_first_usual_scale_that_holds_its_values(values, scale):
    said = [{"shown": [0, 1], "outcome": "tie", "ratings": {"0": {"wit": value}}} for value in values]
    (new,) = admit(Schema(), holding(*said)).criteria
    assert (new.kind, new.low, new.high) == scale
    assert all(new.accepts(value) for value in values)


def test_what_is_there_stays_as_it_is():
    said = {"shown": [0, 1], "outcome": "tie", "ratings": {"0": {"helpful": 2}}}
    assert admit(DEFAULT, holding(said)) == DEFAULT
    assert added(DEFAULT, DEFAULT) == {}


def test_what_is_gained_is_told():
    said = {"shown": [0, 1], "outcome": "tie", "principles": ["kind"], "demonstration": "So."}
    new = admit(
        DEFAULT, holding(said, {"shown": [0], "outcome": "ranking", "ranking": [[0]], "safety": {"0": {"rude": 1}}})
    )
    assert added(DEFAULT, new) == {"principles": ["kind"], "safety": ["rude"]}


def test_a_flood_of_keys_is_refused():
    ratings = {"0": {f"k{n}": 1 for n in range(201)}}
    with pytest.raises(ValueError, match="more than 200 different criteria"):
        holding({"shown": [0, 1], "outcome": "tie", "ratings": ratings})
