"""Spans made by keyboard alone, in a real browser."""

import pytest

from tests.e2e.span_page import PLAIN_WORDS, press, spans_in, value

pytestmark = pytest.mark.e2e


def test_keys_stay_in_the_text_only_while_they_are_used(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "1", "Enter", "2", "j", "?", "Escape", "2", "Tab")
    assert page.evaluate("heard") == ["1", "?", "2", "Tab"]
    assert spans_in(page) == [("The", "vague")]


def test_tab_leaves_keyboard_mode(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "Enter", "Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "other"
    assert page.evaluate("[editor.keyboard, editor.range]") == [False, None]


def test_keyboard_moves_extends_and_adjusts(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "Enter", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "1")  # river is long
    press(page, "Shift+ArrowLeft", "Alt+ArrowLeft", "2")  # The river is
    press(page, "ArrowDown", "s", "ArrowLeft", "ArrowRight", "1")  # the sentence
    assert spans_in(page) == [("The river is", "vague"), ("river is long", "wrong"), ("It ends in the sea.", "wrong")]
    press(page, "n", "2", "w", "Shift+ArrowRight")  # the first mark
    assert spans_in(page)[:2] == [("The river is long", "vague"), ("river is long", "wrong")]
    press(page, "p", "Backspace")
    assert len(value(page)) == 2


def test_a_key_pressed_twice_marks_once(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "Enter", "1", "1", "2", "1")
    assert spans_in(page) == [("The", "wrong"), ("The", "vague")]
    assert page.get_by_role("status").text_content() == "Marked already. 2 marks."


def test_marking_starts_where_one_reads_and_every_step_stays_in_sight(show):
    page = show("Many words in one paragraph. " * 200)
    in_sight = "() => editor.map.sees(editor.range)"
    page.evaluate("Object.assign(editor.map.pane.style, { height: '200px', overflow: 'auto' })")
    page.evaluate("editor.map.pane.scrollTop = 900")
    page.focus("#text")
    press(page, "Enter")
    assert page.evaluate("editor.map.pane.scrollTop") == 900
    assert page.evaluate(in_sight)
    for key in ["ArrowRight"] * 99 + ["Home", "End"]:
        press(page, key)
        assert page.evaluate(in_sight)


def test_a_character_is_what_people_see(show):
    page = show("a👩‍👩‍👧‍👦e\u0301🇩🇪")
    page.focus("#text")
    press(page, "Enter", "c", "Home", "1", "ArrowRight", "1", "ArrowRight", "1", "ArrowRight", "1")
    assert [quote for quote, _ in spans_in(page)] == ["a", "👩‍👩‍👧‍👦", "e\u0301", "🇩🇪"]


def test_it_is_said_aloud(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "Enter", "ArrowRight")
    said = page.get_by_role("status")
    assert said.text_content() == "“river”"
    press(page, "1")
    assert said.text_content() == "Marked “river” as Wrong fact. 1 mark."


def test_one_left_hand_makes_changes_and_removes_a_mark(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "Enter", "d", "1", "g", "Shift+D", "r")
    [(longer, _)] = spans_in(page)
    assert longer.startswith("river ")
    assert page.evaluate("editor.value()[0].severity") == 1
    press(page, "Shift+A", "f")
    assert [quote for quote, _ in spans_in(page)] == ["river"]
    assert page.evaluate("editor.value()[0].severity") is None
    press(page, "x")
    assert spans_in(page) == []
