import copy
import itertools

import pytest

from annotate.formats import read
from annotate.formats.qa_feedback import record

ROW = {
    "question": "When was the bridge built?",
    "passages": [["Bridge", "It was built in 1890.", "It is red."]],
    "gold": "In 1890.",
    "prediction 1": "It was built in 1980. It is red.",
    "prediction 2": "In 1890.",
    "prediction 3": "It is a bridge.",
    "prediction 4": "In 1890, in red.",
    "preference": [2, 1, 0, 1, 0, 2],
    "feedback": {
        "errors": [
            {"error type": "Wrong-Grounding", "explanation": "1890", "start": 16, "end": 20},
            {"error type": "Irrelevant", "explanation": "", "start": 22, "end": 32},
        ],
        "missing-info": [{"error type": "Missing-Answer", "passage_id": 1, "sentence_id": [1, 2]}],
        "corrected-prediction": "It was built in 1890.",
    },
}


def changed(**values):
    row = copy.deepcopy(ROW)
    for name, value in values.items():
        (row["feedback"] if name in row["feedback"] else row)[name] = value
    return row


def test_six_labels_become_six_verdicts_in_the_order_shown():
    verdicts = record(ROW).judgements
    assert [verdict.shown for verdict in verdicts] == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert [verdict.ranking for verdict in verdicts] == [[[1], [0]], [[0], [2]], [], [[1], [2]], [], [[3], [2]]]
    assert [verdict.outcome for verdict in verdicts] == ["ranking", "ranking", "tie", "ranking", "tie", "ranking"]


def test_what_was_said_of_prediction_1_stands_once():
    first, *others = record(ROW).judgements
    assert [(span.quote, span.category, span.note) for span in first.spans] == [
        ("1980", "wrong-grounding", "1890"),
        ("It is red.", "irrelevant", ""),
    ]
    assert first.omissions[0].note == "Missing-Answer: passage 1, sentence 1, 2"
    assert first.corrections == {"0": "It was built in 1890."}
    assert not any(verdict.spans or verdict.omissions or verdict.corrections for verdict in others)


def test_passages_and_the_reference_answer_are_kept():
    one = record(ROW)
    assert (one.context[0].title, one.context[0].text) == ("Bridge", "It was built in 1890. It is red.")
    assert one.metadata == {"gold": "In 1890."}


def test_nothing_marked_means_looked_at():
    row = changed(errors=[], **{"missing-info": [], "corrected-prediction": ""})
    first = record(row).judgements[0]
    assert first.checked == [0]
    assert first.corrections == {}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preference": [1, 2, 0, 1, 2]}, "preference must hold six labels"),
        ({"preference": [1, 2, 0, 1, 2, 3]}, "preference must hold six labels"),
        ({"preference": [1, 2, 0, 1, 2, True]}, "preference must hold six labels"),
        ({"question": None}, "'question' must be a string"),
        ({"prediction 4": ""}, r"responses\.3\.text"),
        ({"passages": [["only a title"]]}, "passages must be lists of strings"),
        ({"passages": [["title", 3]]}, "passages must be lists of strings"),
        ({"feedback": []}, "'feedback' must be an object"),
        ({"errors": [{"error type": "Irrelevant", "explanation": "", "start": 30, "end": 33}]}, "error 30–33 lies"),
        (
            {"errors": [{"error type": "Irrelevant", "explanation": "", "start": "1", "end": 3}]},
            "'start' must be a whole",
        ),
        ({"errors": [{"error type": "Irrelevant", "explanation": "", "start": 1}]}, "'end' is missing"),
        ({"errors": ["Irrelevant"]}, "errors must hold objects"),
        ({"missing-info": [{"error type": "x", "sentence_id": []}]}, "'passage_id' is missing"),
    ],
)
def test_a_bad_element_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        record(changed(**values))


@pytest.mark.data
def test_the_real_file_is_read_whole(human_data):
    with (human_data / "qa_feedback_dev.json").open("rb") as file:
        records = [one for _, one in read(file, "qa-feedback")]
    verdicts = list(itertools.chain.from_iterable(one.judgements for one in records))
    spans = [span for verdict in verdicts for span in verdict.spans]
    assert (len(records), len(verdicts), len(spans)) == (500, 3000, 1373)
    assert sum(verdict.outcome == "tie" for verdict in verdicts) == 384
    assert sum(verdict.outcome == "ranking" and verdict.ranking[0] == verdict.shown[:1] for verdict in verdicts) == 1577
    assert sum(span.category == "wrong-grounding" for span in spans) == 163
    assert sum(len(verdict.omissions) for verdict in verdicts) == 842
