import pytest

from annotate.formats.hh_rlhf import record

PREFIX = "\n\nHuman: Hello.\n\nAssistant: Hi. Human: is a word.\n\nHuman: Which tree is tall?\n\nAssistant:"
ROW = {"chosen": f"{PREFIX} The redwood.\n\nIt grows in fog.", "rejected": f"{PREFIX} Trees are.", "source": "ours"}


def test_the_dialogue_is_split_into_shared_turns_and_two_answers():
    one = record(ROW)
    assert [(turn.role, turn.content) for turn in one.turns] == [
        ("user", "Hello."),
        ("assistant", "Hi. Human: is a word."),
        ("user", "Which tree is tall?"),
    ]
    best = one.judgements[0].ranking[0][0]
    assert one.responses[best].text == "The redwood.\n\nIt grows in fog."
    assert one.responses[1 - best].text == "Trees are."
    assert one.metadata == {"source": "ours"}


def test_the_side_of_the_chosen_answer_follows_the_texts_not_the_verdict():
    one, swapped = record(ROW), record({**ROW, "chosen": ROW["rejected"], "rejected": ROW["chosen"]})
    assert one.responses == swapped.responses
    assert one.judgements[0].ranking == swapped.judgements[0].ranking[::-1]


def test_the_chosen_answer_is_on_either_side_about_equally_often():
    rows = [{"chosen": f"{PREFIX} good {n}", "rejected": f"{PREFIX} bad {n}"} for n in range(400)]
    left = sum(record(row).judgements[0].ranking[0][0] == 0 for row in rows)
    assert 150 < left < 250


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"chosen": ROW["chosen"]}, "rejected must be a string"),
        ({**ROW, "rejected": None}, "rejected must be a string"),
        ({**ROW, "chosen": "Hello"}, "chosen does not start with a blank line and 'Human:'"),
        ({**ROW, "chosen": "x" + ROW["chosen"]}, "chosen does not start with"),
        ({**ROW, "chosen": PREFIX}, "chosen ends with an empty answer"),
        ({**ROW, "rejected": f"{PREFIX} \n\n"}, "rejected ends with an empty answer"),
        ({**ROW, "rejected": f"{PREFIX} a\n\nHuman: b"}, "rejected does not end with an answer of the assistant"),
        ({**ROW, "rejected": ROW["rejected"].replace("Hello", "Bye")}, "differ before the last answer"),
        ({**ROW, "rejected": ROW["chosen"]}, "chosen and rejected are the same"),
        ({"chosen": "\n\nAssistant: a", "rejected": "\n\nAssistant: b"}, "turns: List should have at least 1 item"),
        (
            {"chosen": "\n\nHuman:\n\nAssistant: a", "rejected": "\n\nHuman:\n\nAssistant: b"},
            "the last turn must be the user's and not empty",
        ),
    ],
)
def test_an_odd_dialogue_is_named(row, message):
    with pytest.raises(ValueError, match=message):
        record(row)
