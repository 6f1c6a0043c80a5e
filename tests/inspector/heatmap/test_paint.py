import pytest

from inspector.heatmap.paint import Mark, heats, marked_auroc, pieces


def token(text, start, value):
    return {"text": text, "start": start, "end": start + len(text), "part": "response", "value": value}


def mark(start, end, category="wrong", **fields):
    return Mark(start, end, category, category.title(), fields.pop("colour", 1), **fields)


def test_the_pieces_are_the_text_cut_at_every_edge():
    text = "a 😀b\r\ncé"
    found = pieces(text, [token("a", 0, 1.0), token("😀b", 2, -2.0), token("cé", 6, 0.5)], [mark(3, 7)], 2.0)
    assert [piece.text for piece in found] == ["a", " ", "😀", "b", "\r\n", "c", "é"]
    assert [piece.heat and piece.heat.value for piece in found] == [1.0, None, -2.0, -2.0, None, 0.5, 0.5]
    assert [bool(piece.marks) for piece in found] == [False, False, False, True, True, True, False]
    assert [len(piece.begins) for piece in found] == [0, 0, 0, 1, 0, 0, 0]


def test_text_past_the_last_token_has_no_heat():
    found = pieces("read unread", [token("read", 0, 1.0)], [], 1.0)
    assert [(piece.text, piece.heat is None) for piece in found] == [("read", False), (" unread", True)]


def test_strength_is_relative_to_the_scale_and_the_way_is_the_sign():
    found = heats([token("a", 0, 2.0), token("b", 1, -1.0), token("c", 2, 0.0)], 2.0)
    assert [(heat.strength, heat.way) for heat in found] == [(1.0, "up"), (0.5, "down"), (0.0, "still")]
    assert heats([token("a", 0, 0.0)], 0.0)[0].strength == 0.0


def test_overlapping_marks_get_a_line_each_and_planted_ones_none():
    marks = [mark(0, 4), mark(2, 4, "irrelevant", colour=2), mark(0, 2, planted=True)]
    first, second = pieces("abcd", [token("abcd", 0, 1.0)], marks, 1.0)
    assert first.lines == "0 3px 0 var(--c1)"
    assert first.planted
    assert second.lines == "0 3px 0 var(--c1), 0 6px 0 var(--c2)"
    assert not second.planted


def test_raters_who_marked_the_same_are_counted_in_one_tag():
    marks = [mark(0, 4), mark(0, 2), mark(0, 4, "irrelevant", colour=2), mark(0, 4, planted=True)]
    first, second = pieces("abcd", [token("abcd", 0, 1.0)], marks, 1.0)
    assert first.tags == [("wrong ×2", 1), ("irrelevant", 2)]
    assert second.tags == []


def test_auroc_weighs_characters_and_forgets_what_the_model_did_not_read():
    tokens = [token("bad", 0, -1.0), token("good", 4, 0.5)]
    assert marked_auroc(pieces("bad good", tokens, [mark(0, 3)], 1.0)).value == 1.0
    assert marked_auroc(pieces("bad good", tokens, [mark(4, 8)], 1.0)).value == 0.0
    half = marked_auroc(pieces("bad good", tokens, [mark(0, 3), mark(4, 6)], 1.0))
    assert (half.value, half.n) == (pytest.approx((3 * 2 + 2 * 2 * 0.5) / (5 * 2)), 7)


def test_auroc_of_a_segment_head_asks_for_its_category_with_the_sign_turned():
    tokens = [token("bad", 0, 1.0), token("good", 4, -0.5)]
    assert marked_auroc(pieces("bad good", tokens, [mark(0, 3)], 1.0), ["wrong"], 1.0).value == 1.0
    assert marked_auroc(pieces("bad good", tokens, [mark(4, 8)], 1.0), ["wrong"], 1.0).value == 0.0


def test_what_is_marked_as_another_category_only_is_left_out_of_the_auroc_of_one():
    tokens = [token("bad", 0, 1.0), token("odd", 4, 2.0), token("good", 8, -0.5)]
    marks = [mark(0, 3), mark(4, 7, "irrelevant"), mark(0, 1, "irrelevant")]
    found = marked_auroc(pieces("bad odd good", tokens, marks, 2.0), ["wrong"], 1.0)
    assert (found.value, found.n) == (1.0, 7)
    assert marked_auroc(pieces("bad odd good", tokens, marks, 2.0), None, 1.0).n == 10


@pytest.mark.parametrize(("marks", "why"), [([], "nothing is marked"), ([mark(0, 8)], "everything is marked")])
def test_auroc_of_one_class_says_why(marks, why):
    found = marked_auroc(pieces("bad good", [token("bad", 0, 1.0), token("good", 4, 0.5)], marks, 1.0))
    assert (found.value, found.why) == (None, why)


def test_planted_flaws_are_not_what_people_marked():
    found = marked_auroc(pieces("ab", [token("a", 0, 1.0), token("b", 1, 2.0)], [mark(0, 1, planted=True)], 1.0))
    assert found.value is None
