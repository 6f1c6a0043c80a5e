"""Spans made by touch: a long press selects, the bar comes, a tap marks."""

import pytest

from tests.e2e.span_page import PLAIN_WORDS, open_page, spans_in

pytestmark = pytest.mark.e2e
CENTRE = """(word) => {
  const node = document.querySelector("#text .r").firstChild;
  const range = document.createRange();
  range.setStart(node, node.data.indexOf(word)), range.setEnd(node, node.data.indexOf(word) + word.length);
  const { x, y, width, height } = range.getBoundingClientRect();
  return { x: x + width / 2, y: y + height / 2 };
}"""
SELECT = """(words) => {
  const node = document.querySelector("#text .r").firstChild;
  getSelection().setBaseAndExtent(node, node.data.indexOf(words), node, node.data.indexOf(words) + words.length);
}"""


@pytest.fixture
def phone(chromium):
    """A text on a phone; errors of the page fail the test."""
    context = chromium.new_context(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield open_page(page, PLAIN_WORDS, omissions=[])
    context.close()
    assert errors == []


def long_press(page, words):
    """A finger rests on the screen, a real touch without a click; a desktop's Chromium leaves the selecting to us."""
    touch = page.context.new_cdp_session(page)
    touch.send(
        "Input.synthesizeTapGesture", page.evaluate(CENTRE, words) | {"duration": 900, "gestureSourceType": "touch"}
    )
    page.evaluate(SELECT, words)
    page.wait_for_selector(".span-bar:popover-open")


def test_a_long_press_shows_the_bar_and_a_tap_marks(phone):
    long_press(phone, "river")
    assert phone.evaluate("getSelection().toString()") == "river"
    phone.get_by_role("button", name="Vague").tap()
    assert spans_in(phone) == [("river", "vague")]
    assert phone.evaluate("getSelection().isCollapsed")


def test_the_choice_follows_the_handles_and_what_is_missing_goes_behind_it(phone):
    long_press(phone, "river")
    phone.evaluate(SELECT, "river is long.")
    phone.get_by_role("status").get_by_text("“river is long.”").wait_for(state="attached")
    phone.get_by_role("button", name="Missing here").tap()
    assert phone.evaluate("editor.missing()[0].at") == 18


def test_a_tap_chooses_a_mark_and_a_tap_beside_it_lets_go(phone):
    phone.evaluate("editor.add(4, 9, 'wrong')")
    phone.locator("mark").tap()
    phone.wait_for_selector(".span-bar:popover-open [aria-pressed=true]")
    phone.locator("#other").tap()
    phone.wait_for_selector(".span-bar:not(:popover-open)", state="attached")
    assert spans_in(phone) == [("river", "wrong")]


def test_the_bar_fits_a_phone_and_its_buttons_a_finger(phone):
    long_press(phone, "river")
    bar = phone.locator(".span-bar").bounding_box()
    assert bar["x"] >= 0
    assert bar["x"] + bar["width"] <= 390
    assert bar["y"] > phone.evaluate(CENTRE, "river")["y"] + 20
    heights = [button.bounding_box()["height"] for button in phone.locator(".span-bar button:visible").all()]
    assert min(heights) >= 44
