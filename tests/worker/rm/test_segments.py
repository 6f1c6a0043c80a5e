import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rm.segments import RULES, label, of_tokens, sentences, subsentences
from worker.rm.types import SpanLabel


def pieces(text, rule=sentences):
    return [text[start:end] for start, end in rule(text)]


def test_sentences_end_where_a_reader_stops():
    assert pieces('He said "go." Then he left! e.g. he ran 3.5 km. Done now?') == [
        'He said "go." ',
        "Then he left! e.g. he ran 3.5 km. ",
        "Done now?",
    ]


def test_lines_are_sentences_and_a_lone_word_joins_the_next():
    assert pieces("- one thing\n- two things\nBut\nthis is it") == [
        "- one thing\n",
        "- two things\n",
        "But\nthis is it",
    ]


def test_subsentences_have_five_words_unless_the_sentence_has_fewer():
    text = "First, a clause that is long enough, then another one that is long, end. Short one."
    assert pieces(text, subsentences) == [
        "First, a clause that is long enough, ",
        "then another one that is long, end. ",
        "Short one.",
    ]


@pytest.mark.parametrize("rule", RULES)
@given(text=st.text(alphabet="ab .,!?\n\u00e9\U0001f600", max_size=60))
def test_segments_cover_the_text_in_order(rule, text):
    found = RULES[rule](text)
    assert "".join(text[a:b] for a, b in found) == (text if text.strip() else "")


@pytest.mark.parametrize("sign", ["!", " "])
def test_endless_signs_are_cut_at_once(sign):
    text = "So it is " + sign * 200_000 + "x"
    assert sentences(text) == [(0, len(text))]  # a search that begins anew at each takes minutes


def test_a_token_belongs_to_the_segment_it_starts_in():
    bounds = np.array([[0, 5], [5, 12]])
    assert of_tokens(bounds, np.array([[0, 3], [4, 6], [5, 7], [11, 12]])).tolist() == [0, 0, 1, 1]


def test_a_segment_with_only_another_category_is_ignored():
    bounds = np.array([[0, 10], [10, 20], [20, 30], [30, 40]])
    spans = [SpanLabel(2, 12, "wrong"), SpanLabel(15, 22, "irrelevant")]
    assert label(bounds, spans, "wrong").tolist() == [1, 1, -1, 0]
    assert label(bounds, spans, "irrelevant").tolist() == [-1, 1, 1, 0]
    assert label(bounds, [], "wrong").tolist() == [0, 0, 0, 0]
