"""Closed cases of grading: what is right, what is wrong, and what is not asked."""

import pytest

from annotate.grading import first_error, grade
from annotate.schema import Category, Criterion, Schema

SCHEMA = Schema(
    categories=(Category(key="wrong", label="Wrong"),),
    criteria=(
        Criterion(key="helpful", label="Helpful"),
        Criterion(key="polite", label="Polite", kind="yes_no"),
        Criterion(key="minutes", label="Minutes", kind="number", low=0, high=60),
    ),
)
LEFT_WINS = {"outcome": "ranking", "ranking": [[1], [2]]}


def graded(answer, known):
    return grade(LEFT_WINS | answer, LEFT_WINS | known, SCHEMA)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (LEFT_WINS, True),
        (LEFT_WINS | {"strength": 3, "rationale": "more than was asked"}, True),
        ({"outcome": "ranking", "ranking": [[2], [1]]}, False),
        ({"outcome": "tie", "ranking": [[1, 2]]}, False),
        ({"outcome": "both_bad", "ranking": [[1, 2]]}, False),
        ({"outcome": "cannot_judge", "ranking": [[1, 2]]}, False),
    ],
)
def test_the_verdict_must_be_the_same(answer, right):
    assert grade(answer, LEFT_WINS, SCHEMA) == {"outcome": right}


def test_of_a_ranking_the_top_counts():
    known = {"outcome": "ranking", "ranking": [[3, 1], [2], [4]]}
    said = lambda *groups: grade({"outcome": "ranking", "ranking": groups}, known, SCHEMA)["outcome"]  # noqa: E731
    assert said([1, 3], [4], [2])
    assert not said([1], [3], [2], [4])


def test_a_tie_is_known_whatever_order_it_was_shown_in():
    tie = {"outcome": "tie"}
    assert grade(tie | {"ranking": [[1, 2]]}, tie | {"ranking": [[2, 1]]}, SCHEMA) == {"outcome": True}


@pytest.mark.parametrize(("given", "wanted", "right"), [(1, 2, True), (3, 2, True), (1, 3, False), (None, 1, False)])
def test_a_strength_may_be_one_step_off(given, wanted, right):
    assert graded({"strength": given}, {"strength": wanted})["strength"] is right


@pytest.mark.parametrize(
    ("key", "given", "wanted", "right"),
    [
        ("helpful", 4, 5, True),
        ("helpful", 3, 5, False),
        ("helpful", None, 5, False),
        ("polite", 1, 1, True),
        ("polite", 0, 1, False),
        ("minutes", 36, 30, True),
        ("minutes", 36.5, 30, False),
    ],
)
def test_a_rating_may_be_one_level_off_and_a_yes_may_not(key, given, wanted, right):
    known = {"ratings": {"7": {key: wanted}}}
    ratings = {} if given is None else {7: {key: given}}
    assert graded({"ratings": ratings}, known)[f"ratings:7:{key}"] is right


def span(start, end, category="wrong", response=1):
    return {"response": response, "start": start, "end": end, "category": category}


@pytest.mark.parametrize(
    ("marks", "right"),
    [
        ([span(5, 9)], True),
        ([span(9, 20)], True),
        ([span(0, 5), span(10, 20)], False),
        ([span(5, 9, "other")], False),
        ([span(5, 9, response=2)], False),
        ([], False),
    ],
)
def test_an_expected_span_must_be_touched_by_a_mark_of_its_category(marks, right):
    assert graded({"spans": marks}, {"spans": [span(5, 10)]})["spans:0"] is right


def test_each_expected_span_is_asked_for_by_itself_and_other_marks_are_free():
    found = graded({"spans": [span(0, 4), span(50, 60)]}, {"spans": [span(1, 2), span(20, 30)]})
    assert found == {"outcome": True, "spans:0": True, "spans:1": False}


@pytest.mark.parametrize(
    ("given", "right"), [([1, 1, -1, None], True), ([1, -1, None, None], False), ([1, 1, 1, 1], False), (None, False)]
)
def test_the_first_wrong_step_must_be_the_same_one(given, right):
    steps = {} if given is None else {"1": given}
    assert graded({"steps": steps}, {"steps": {1: [1, 0, -1, 0]}})["steps:1"] is right


def test_no_wrong_step_is_an_answer():
    assert first_error([1, 0, None]) is None
    assert graded({"steps": {"1": [1, 1]}}, {"steps": {"1": [1, 0]}})["steps:1"]


@pytest.mark.parametrize(
    ("given", "right"), [({"1": {"weapons": 3}}, True), ({"1": {}}, False), ({"1": {"fraud": 1}}, False), ({}, False)]
)
def test_the_harms_must_be_the_same(given, right):
    assert graded({"safety": given}, {"safety": {"1": {"weapons": 1}}})["safety:1"] is right


def test_what_the_known_answer_does_not_say_is_not_graded():
    said = {"strength": 1, "ratings": {"1": {"helpful": 1}}, "spans": [span(0, 1)], "steps": {"1": [-1]}}
    assert graded(said | {"safety": {"1": {"fraud": 1}}}, {}) == {"outcome": True}
