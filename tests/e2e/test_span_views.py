"""Severity by key, corrections in place, and what outlives the switch of views or a history of the page's own."""

import pytest

from tests.e2e.span_page import PLAIN_WORDS, press, spans_in, value

pytestmark = pytest.mark.e2e
SHOW = "(id) => editor.show(document.getElementById(id))"
LONG = "".join(f"Part **{n}** of a text with `many` words, [links](http://e.org/{n}) and more.\n\n" for n in range(200))
DEPTH = "(at) => editor.map.box(at, at + 1).top - editor.map.pane.getBoundingClientRect().top"
TOP = """() => {
  const { top } = editor.map.pane.getBoundingClientRect();
  return editor.map.runs.find(({ el }) => el.getBoundingClientRect().bottom > top + 1).end - 1;
}"""


def levels(page):
    return [span["severity"] for span in value(page)]


def test_plus_and_minus_say_how_bad_the_mark_just_made_is(show):
    page = show(PLAIN_WORDS)
    page.focus("#text")
    press(page, "Enter", "+", "1", "+", "+")
    assert levels(page) == [2]
    assert page.get_by_role("status").text_content() == "Severity: serious. 1 mark."
    assert page.locator("[data-tags]").get_attribute("data-tags") == "1!!"
    press(page, "=", "+", "ArrowRight", "-")
    assert levels(page) == [3]
    press(page, "n", "-", "-", "-", "-")
    assert levels(page) == [None]


def test_the_bar_shows_the_severities_of_a_mark(show):
    page = show(PLAIN_WORDS, spans=[{"start": 4, "end": 9, "category": "wrong", "severity": 1}])
    page.locator("mark").click()
    group = page.get_by_role("group", name="Severity")
    assert group.locator("[aria-pressed=true]").text_content() == "slight"
    assert group.locator("kbd").all_text_contents() == ["−", "+"]
    group.get_by_text("severe").click()
    assert levels(page) == [3]
    group.get_by_text("severe").click()
    assert levels(page) == [None]
    assert page.evaluate("document.activeElement.id") == "text"


def test_a_correction_is_shown_in_its_place_and_is_no_part_of_the_text(show):
    page = show("The **river** is long.", spans=[{"start": 6, "end": 16, "category": "wrong"}])
    page.evaluate("editor.update(editor.spans[0].id, { correction: 'lake was' })")
    struck = page.locator("mark.corrected")
    assert struck.all_text_contents() == ["river", " is"]
    assert "line-through" in struck.first.evaluate("(el) => getComputedStyle(el).textDecoration")
    assert page.locator("ins").evaluate("(el) => getComputedStyle(el, '::after').content") == '"lake was"'
    assert page.locator("#text").evaluate("(el) => el.textContent") == "The river is long."
    page.locator("ins").click()
    page.wait_for_selector(".span-bar:popover-open")
    assert page.evaluate("editor.selected === editor.spans[0].id")
    page.evaluate("editor.undo()")
    assert (page.locator("ins").count(), page.locator("mark.corrected").count()) == (0, 0)


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", '"); } body { display: none', "\\0000\n\u202eabc"])
def test_a_hostile_correction_is_only_words(show, hostile):
    page = show("So $x^2$ is.", spans=[{"start": 3, "end": 8, "category": "wrong", "correction": hostile}])
    assert page.locator("ins").get_attribute("data-says") == hostile
    assert page.locator("#text img").count() == 0
    assert page.locator("#text").is_visible()


def test_the_switch_keeps_marks_choice_keyboard_and_undo(show):
    page = show(PLAIN_WORDS + " **Bold**", omissions=[{"at": 9, "note": "x"}])
    page.focus("#text")
    press(page, "Enter", "ArrowRight", "1", "+", "n")
    page.evaluate(SHOW, "raw")
    assert page.evaluate("editor.keyboard && document.activeElement.id") == "raw"
    assert page.evaluate("editor.range") == {"start": 9, "end": 9}
    assert [page.locator(f"#{id} {of}").count() for id in ("text", "raw") for of in ("mark", ".caret")] == [0, 0, 1, 1]
    press(page, "End", "2")
    assert spans_in(page) == [("river", "wrong"), ("Bold", "vague")]
    page.evaluate(SHOW, "text")
    press(page, "Control+z", "Control+z", "Control+z")
    assert (value(page), page.locator("mark").count()) == ([], 0)
    press(page, *["Control+y"] * 3)
    assert spans_in(page) == [("river", "wrong"), ("Bold", "vague")]
    assert page.get_by_role("application").count() == 1


def test_the_switch_keeps_the_place_one_reads_however_often(show):
    page = show(LONG)
    page.evaluate("Object.assign(editor.map.pane.style, { height: '300px', overflow: 'auto' })")
    for down in (0, 700, 2500):
        page.evaluate("(down) => { editor.map.pane.scrollTop = down; }", down)
        at = page.evaluate(TOP)
        depth = page.evaluate(DEPTH, at)
        for view in ("raw", "text", "raw", "text", "raw"):
            page.evaluate(SHOW, view)
        assert abs(page.evaluate(DEPTH, at) - depth) < 60  # two lines: the views break theirs at different words
        page.evaluate(SHOW, "text")
        assert abs(page.evaluate("editor.map.pane.scrollTop") - down) < 2


def test_a_page_with_a_history_of_its_own_is_asked(show):
    page = show(PLAIN_WORDS, spans=[{"start": 4, "end": 9, "category": "wrong"}])
    page.evaluate("editor.history = { undo: () => heard.push('undo'), redo: () => heard.push('redo') }")
    page.focus("#text")
    press(page, "Enter", "n", "Delete", "Control+z", "Control+Shift+z", "Control+y")
    page.evaluate("editor.undo()")
    assert page.evaluate("heard.filter((one) => one.endsWith('do'))") == ["undo", "redo", "redo", "undo"]
    assert value(page) == []


def test_marks_set_from_outside_keep_their_ids_and_the_place_of_the_keyboard(show):
    spans = [{"start": 0, "end": 3, "category": "wrong"}, {"start": 4, "end": 9, "category": "vague"}]
    page = show(PLAIN_WORDS, spans=spans)
    page.evaluate("void (editor.onChange = () => heard.push('change'))")
    ids = page.evaluate("editor.spans.map(({ id }) => id)")
    page.focus("#text")
    press(page, "Enter", "ArrowRight", "ArrowRight")
    new = [spans[1] | {"note": "new"}, {"start": 10, "end": 12, "category": "wrong"}]
    page.evaluate("(spans) => editor.setSpans(spans)", new)
    after = page.evaluate("editor.spans.map(({ id }) => id)")
    assert after[0] == ids[1]
    assert after[1] not in ids
    assert page.evaluate("editor.keyboard && editor.range") == {"start": 10, "end": 12}
    assert not page.evaluate("heard.includes('change')")
    assert [span["note"] for span in value(page)] == ["new", ""]
    press(page, "Control+z")
    assert page.get_by_role("status").text_content() == "Nothing to undo."
    assert len(value(page)) == 2
