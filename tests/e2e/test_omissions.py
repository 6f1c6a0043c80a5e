"""Something is missing here: a mark at a point of the text, by keyboard and by mouse, drawn and never part of it."""

import pytest

from annotate.text import plain, render
from tests.e2e.span_page import PLAIN_WORDS, double_click, press, value

pytestmark = pytest.mark.e2e
RIVER = {"at": 9, "note": "its name", "severity": 2}


def missing(page):
    return page.evaluate("editor.missing()")


def carets(page):
    """Where the page draws them: the shown text before each, white space as it is."""
    return page.eval_on_selector_all(
        ".caret",
        """all => all.map((el) => {
        const range = document.createRange();
        range.setStart(el.closest(".text"), 0);
        range.setEndBefore(el);
        return range.toString();
      })""",
    )


def test_a_key_puts_one_behind_the_chosen_word(show):
    page = show(PLAIN_WORDS, omissions=[])
    page.evaluate("addEventListener('omissionedit', ({ detail }) => (window.edited = detail.id))")
    page.focus("#text")
    press(page, "Enter", "ArrowRight", "o")
    assert missing(page) == [{"at": 9, "note": "", "severity": None}]
    assert carets(page) == ["The river"]
    assert page.evaluate("edited === editor.omissions[0].id && edited === editor.selected")
    assert page.get_by_role("status").text_content() == "Missing after “The river”."


def test_a_chosen_one_moves_gets_worse_and_goes(show):
    page = show(PLAIN_WORDS, omissions=[RIVER])
    page.focus("#text")
    press(page, "Enter", "n", "Shift+ArrowRight", "+", "1")
    assert missing(page) == [{"at": 12, "note": "its name", "severity": 3}]
    press(page, "Alt+ArrowLeft", "Shift+ArrowLeft", "-", "-", "-")
    assert missing(page) == [{"at": 3, "note": "its name", "severity": None}]
    press(page, "Delete")
    assert (missing(page), carets(page), value(page)) == ([], [], [])
    press(page, "Control+z", "Control+z")
    assert missing(page) == [{"at": 3, "note": "its name", "severity": 1}]
    assert page.evaluate("document.activeElement.id") == "text"


def test_the_mouse_puts_one_behind_what_it_chose_and_chooses_one(show):
    page = show(PLAIN_WORDS, omissions=[])
    double_click(page, "river")
    page.get_by_role("button", name="Missing here").click()
    assert carets(page) == ["The river"]
    page.mouse.click(5, 5)
    page.locator(".caret").click()
    page.get_by_role("button", name="severe").click()
    page.get_by_role("button", name="Remove").focus()
    assert missing(page)[0]["severity"] == 3
    page.get_by_role("button", name="Remove").click()
    assert missing(page) == []


@pytest.mark.parametrize("make", [render, plain])
def test_they_stand_between_characters_of_the_raw_text(show, make):
    raw = "Eins **zwei** 👩‍👩‍👧 drei\r\n\r\n$x^2$ vier &amp; fünf"
    page = show(raw, make)
    for at in range(len(raw) + 1):
        page.evaluate("(at) => editor.addOmission(at)", at)
    assert all(raw[: one["at"]][-1:] != "\u200d" for one in missing(page))
    assert page.locator(".caret").count() == len(raw) + 1
    shown = "".join(page.locator("#text .r").all_text_contents())
    page.evaluate("editor.setSpans([], [])")
    assert page.locator(".caret").count() == 0
    assert "".join(page.locator("#text .r").all_text_contents()) == shown


@pytest.mark.parametrize("raw", ["", "word", "$x$", "![a](b)"])
def test_both_ends_of_a_text_can_miss_something(show, raw):
    page = show(raw, omissions=[{"at": 0}, {"at": len(raw)}, {"at": None}])
    assert [one["at"] for one in missing(page)] == [0, None, len(raw)] or raw == ""
    assert page.locator(".caret").count() == (2 if raw else 0)


def test_marking_around_one_leaves_both(show):
    page = show(PLAIN_WORDS, omissions=[RIVER])
    page.evaluate("editor.add(4, 17, 'wrong')")
    assert page.locator("mark").all_text_contents() == ["river", " is long"]
    assert carets(page) == ["The river"]
    page.evaluate("editor.remove(editor.spans[0].id)")
    assert (page.locator("mark").count(), carets(page)) == (0, ["The river"])


def test_without_the_question_nothing_of_it_is_shown(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "Enter", "o", "Shift+ArrowRight")
    assert (missing(page), page.get_by_role("button", name="Missing here").count()) == ([], 0)


def test_a_place_outside_the_text_is_refused(show):
    page = show("short")
    refused = "(at) => { try { editor.addOmission(at); } catch (error) { return error.name; } }"
    assert [page.evaluate(refused, at) for at in (6, -1, 1.5)] == ["RangeError"] * 3
