"""A project's rules for marks: the pure function in the browser, and what the editor does and says with it."""

import pytest

from tests.e2e.span_page import PLAIN_WORDS, double_click, press, spans_in, value

pytestmark = pytest.mark.e2e
TEXT = "The river is long, wide and deep. Yes."
SETTLE = """async ([text, spans, mark, rules]) => {
  const { settle } = await import("/static/js/spanrules.js");
  const categories = [{ key: "wrong", label: "Wrong fact" }, { key: "vague", label: "Vague" }];
  const place = ([words, category, id]) => ({ start: text.indexOf(words), end: text.indexOf(words) + words.length, category, id });
  const found = settle(spans.map(place), place(mark), { rules, categories, points: Array.from(text) });
  return [found.spans?.map(({ start, end, category, id }) => [text.slice(start, end), category, id ?? ""]) ?? null, found.said];
}"""  # noqa: E501
WRONG, VAGUE = ("river is long", "wrong", "a"), ("long, wide and deep", "vague", "b")
SHORTEST, ONE, FIRST = {"shortest": True}, {"one_type": True}, {"one_type": True, "priority": True}


@pytest.fixture
def settle(show):
    page = show(TEXT)
    return lambda spans, mark, rules: page.evaluate(SETTLE, [TEXT, spans, mark, rules])


def known(rows):
    return sorted(tuple(row) for row in rows)


def test_without_rules_everything_may_overlap(settle):
    new = ("is long, ", "vague", "")
    assert settle([list(WRONG), list(VAGUE)], list(new), {}) == [[list(WRONG), list(VAGUE), list(new)], ""]


@pytest.mark.parametrize("words", [" is long, ", "is long,", ". Yes.", "deep. "])
def test_the_shortest_mark_has_no_loose_ends(settle, words):
    (mark,), said = settle([], [words, "wrong"], SHORTEST)
    assert (mark[0], said) == (words.strip(" .,"), "")


def test_punctuation_alone_has_nothing_shorter_to_be(settle):
    assert settle([], [",", "wrong"], SHORTEST)[0] == [[",", "wrong", ""]]


def test_a_mark_around_another_of_its_category_is_refused(settle):
    spans, said = settle([WRONG], ["The river is long", "wrong"], SHORTEST)
    assert (spans, said) == (None, "Kept “river is long”: marks are as short as they can be here.")
    assert settle([WRONG], ["The river is long", "vague"], SHORTEST)[0]


def test_a_mark_inside_another_of_its_category_takes_its_place_and_keeps_what_was_said(settle):
    spans, said = settle([WRONG], ["long", "wrong"], SHORTEST)
    assert spans == [["long", "wrong", "a"]]
    assert said == "“river is long” is marked on “long” alone now: as short as it can be."
    assert settle([WRONG], ["is", "wrong", "c"], SHORTEST)[0] is None


def test_one_type_refuses_a_second_category(settle):
    spans, said = settle([WRONG], ["is long, wide", "vague"], ONE)
    assert (spans, said) == (None, "Kept “river is long” as Wrong fact: no words have two categories here.")
    assert settle([WRONG], ["is long, wide", "wrong"], ONE)[0]
    assert settle([WRONG], [", wide", "vague"], ONE)[0]


def test_what_comes_first_wins_and_the_other_keeps_the_rest(settle):
    spans, said = settle([VAGUE], ["river is long", "wrong"], FIRST)
    assert known(spans) == [("river is long", "wrong", ""), (", wide and deep", "vague", "b")][::-1]
    assert said == "Wrong fact comes first in this project's order: Vague stays on “, wide and deep”."
    spans, said = settle([WRONG], ["is long, wide", "vague"], FIRST | SHORTEST)
    assert spans == [["river is long", "wrong", "a"], ["wide", "vague", ""]]
    assert said == "Kept as Wrong fact: it comes first in this project's order. Vague is on “wide”."


def test_what_comes_later_is_refused_on_the_same_words_and_says_why(settle):
    spans, said = settle([WRONG], ["is", "vague"], FIRST)
    assert (spans, said) == (None, "Kept as Wrong fact: it comes first in this project's order.")


def test_a_mark_cut_in_two_keeps_both_parts_and_one_that_goes_is_named(settle):
    spans, said = settle([VAGUE], ["wide", "wrong"], FIRST | SHORTEST)
    assert known(spans) == [("and deep", "vague", ""), ("long", "vague", "b"), ("wide", "wrong", "")]
    spans, said = settle([["wide", "vague", "b"]], ["long, wide and deep", "wrong"], FIRST)
    assert spans == [["long, wide and deep", "wrong", ""]]
    assert said == "Wrong fact comes first in this project's order: “wide” is Vague no more. Undo brings it back."


def test_the_editor_says_it_aloud_and_on_the_screen_until_the_next_act(show):
    page = show(PLAIN_WORDS, rules=FIRST)
    page.focus("#text")
    press(page, "Enter", "ArrowRight", "1", "2")
    words = "Kept as Wrong fact: it comes first in this project's order."
    assert page.locator(".span-rule").text_content() == page.get_by_role("status").text_content() == words
    assert page.locator(".span-rule").is_visible()
    assert spans_in(page) == [("river", "wrong")]
    press(page, "ArrowRight")
    assert not page.locator(".span-rule").is_visible()
    assert page.evaluate("[document.activeElement.id, editor.range.start]") == ["text", 10]


def test_what_was_cut_keeps_its_note_and_undo_brings_it_back(show):
    spans = [{"start": 4, "end": 17, "category": "vague", "note": "how", "severity": 2}]
    page = show(PLAIN_WORDS, spans=spans, rules=FIRST)
    double_click(page, "is")
    press(page, "1")
    assert [(span["quote"], span["note"]) for span in value(page)] == [("river", "how"), ("is", ""), ("long", "how")]
    press(page, "Control+z")
    assert [(span["quote"], span["note"]) for span in value(page)] == [("river is long", "how")]


def test_a_refused_change_leaves_the_mark_as_it_was(show):
    page = show(PLAIN_WORDS, spans=[{"start": 4, "end": 9, "category": "wrong"}], rules=ONE)
    page.focus("#text")
    press(page, "Enter", "ArrowRight", "ArrowRight", "2", "p", "Shift+ArrowRight")
    assert spans_in(page) == [("river", "wrong"), ("is", "vague")]
    assert page.evaluate("editor.range") == {"start": 4, "end": 9}


@pytest.mark.parametrize("unit", ["w", "s", "c"])
def test_the_shortest_marks_grow_and_shrink_past_punctuation(show, unit):
    page = show("Long, wide. Deep! Yes or no.", rules=SHORTEST)
    page.focus("#text")
    press(page, "Enter", "1", "n", unit, *["Shift+ArrowRight"] * 24)
    assert spans_in(page) == [("Long, wide. Deep! Yes or no", "wrong")]
    press(page, *["Alt+ArrowRight"] * 24)
    assert len(spans_in(page)[0][0]) < 12
    press(page, *["Alt+ArrowLeft"] * 30)
    assert spans_in(page)[0][0].startswith("Long")
