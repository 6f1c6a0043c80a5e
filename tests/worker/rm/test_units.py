"""Units of a response: exact ranges that cover it, whatever the text, and no more than asked for."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rm.attribution.units import by_sentence, holding, units
from worker.rm.types import Example, SpanLabel

TEXT = "The tower is tall. It was built in 1200. Nobody knows why."


def cut(text, spans=None, most=32):
    """With one token for each character that is no space."""
    marks = None if spans is None else tuple(SpanLabel(*span, "wrong") for span in spans)
    example = Example("x", "g", (("user", "Why?"),), text, spans=marks)
    places = [(n, n + 1) for n, letter in enumerate(text) if not letter.isspace()]
    return units(example, np.array(places).reshape(-1, 2), most)


def texts(text, *given, **named):
    return [text[start:end] for start, end in cut(text, *given, **named)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TEXT, ["The tower is tall. ", "It was built in 1200. ", "Nobody knows why."]),
        (
            "It is one but of two parts, each of them very long.",
            ["It is one but of two parts, ", "each of them very long."],
        ),
        (" Short and plain. ", [" Short ", "and ", "plain. "]),
        ("Yes", ["Yes"]),
        ("", []),
        (" \n", []),
    ],
)
def test_the_coarsest_cut_that_cuts(text, found):
    assert texts(text) == found


def test_marked_stretches_are_units_and_sentences_around_them_too():
    """One that goes over the end of a sentence is not cut there."""
    assert texts(TEXT, [(4, 9), (13, 25)]) == ["The ", "tower", " is ", "tall. It was", " built in 1200. ", TEXT[41:]]


def test_overlapping_marks_are_cut_at_every_edge():
    assert texts("abcdef", [(0, 4), (2, 6)]) == ["ab", "cd", "ef"]


def test_a_mark_of_nobody_is_as_no_mark():
    assert cut(TEXT, []) == cut(TEXT)


def test_the_shortest_neighbours_become_one():
    assert texts("a bb ccc dddd", most=3) == ["a bb ", "ccc ", "dddd"]


def test_what_is_not_read_belongs_to_the_unit_before():
    example = Example("x", "g", (), TEXT)
    assert units(example, np.array([(0, 3), (4, 9), (19, 21)])) == [(0, 19), (19, len(TEXT))]


def test_a_token_belongs_where_it_ends():
    assert holding([(0, 6), (6, 9)], np.array([(0, 5), (5, 8), (6, 9), (3, 3)])).tolist() == [0, 1, 1, 0]


def test_units_know_their_sentence():
    assert by_sentence(TEXT, cut(TEXT, [(4, 9), (22, 25)])) == [0, 0, 0, 1, 1, 1, 2]


@given(st.text("aZ .,!?\n’é🙂", max_size=80), st.integers(1, 6), st.lists(st.integers(0, 80), max_size=4))
def test_every_text_is_covered_by_ranges_that_meet(text, most, edges):
    edges = sorted({edge for edge in edges if edge <= len(text)})
    found = cut(text, list(itertools.pairwise(edges)), most)
    assert "".join(text[start:end] for start, end in found) == (text if text.strip() else "")
    assert len(found) <= most
    assert all(text[start:end].strip() for start, end in found)
