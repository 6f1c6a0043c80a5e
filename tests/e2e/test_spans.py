"""Spans made by mouse and by keyboard in a real browser: the real renderer, the real editor, no server."""

import pytest

from annotate.text import plain, render, snap
from tests.e2e.span_page import PLAIN_WORDS, press, spans_in, value

pytestmark = pytest.mark.e2e
EMOJI = "Ten 👩‍👩‍👧‍👦 families saw cafe\u0301 𝒳 🇩🇪 flags."
CRLF = "First line\r\nsecond line **bold**\r\n\r\nNew *paragraph* here."
TABLE = "| City | People |\n|---|---:|\n| Ünï `a\\|b` | 3 &amp; 4 |\n| Rome | 😀 five |\n\nAfter."
CODE = "Before 🐍:\n\n```python\ndef f(x):\n    return '😀' + x\n```\n\n> quoted\n> ```\n> inner  code\n> ```\n\nAfter."
MATH = r"So $x^2$ and \(y_1\) give \[ a+b \] and $$c$$ done."
RTL = "שלום **עולם** and مرحبا بكم end."
HTML = "a <b onclick=alert(1)>bold</b> &lt;x&gt; [link](javascript:alert(1)) ![pic](http://evil.test/p.png) z"
NESTED = "1. one\n   - two *three*\n     - four\n2. five [site](https://example.org/a) six\n\n[ref]: http://x.y"
NASTY = [PLAIN_WORDS, EMOJI, CRLF, TABLE, CODE, MATH, RTL, HTML, NESTED]


ODD = "\n\nend\r\n\r\nx\ry\0z \x0b\x0c\x85\u2028\ufeff\ufffe \xa0."
EVERY_SELECTION = """() => {
  const walker = document.createTreeWalker(document.getElementById("text"), NodeFilter.SHOW_TEXT);
  const places = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (let i = 0; i <= node.length; i += 1) places.push([node, i]);
  const [found, range] = [[], document.createRange()];
  for (let i = 0; i < 400; i += 1) {
    const [a, b] = [(i * 7919) % places.length, (i * 104729 + 13) % places.length].sort((x, y) => x - y);
    range.setStart(...places[a]), range.setEnd(...places[b]);
    const span = editor.map.offsets(range);
    if (span) found.push({ ...span, quote: editor.map.quote(span.start, span.end) });
  }
  return found;
}"""


def assert_quotes(raw, spans):
    """What the server will check: code points of the raw text."""
    for span in spans:
        assert raw[span["start"] : span["end"]] == span["quote"] != ""


def drag(page, first, last):
    """Drag the mouse from where one run begins to where another ends."""
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("#text .r")].filter((el) => el.textContent.trim())
        .map((el) => [getComputedStyle(el).direction === "rtl" ? -1 : 1, ...el.getClientRects()])
        .map(([to, ...all]) => [to, all.filter((box) => box.width)])
        .filter(([, all]) => all.length)
        .map(([to, all]) => [all[0], to < 0 ? all.sort((a, b) => b.x - a.x).at(-1) : all.at(-1), to])
        .map(([a, z, to]) => [to < 0 ? a.right : a.x, a.y + a.height / 2,
            to < 0 ? z.x : z.right, z.y + z.height / 2, to])"""
    )
    (left, top, *_, forward), (_, _, right, bottom, _) = boxes[first], boxes[last]
    page.mouse.move(left + forward, top)
    page.mouse.down()
    page.mouse.move(left + 3 * forward, top)
    page.mouse.move(right - forward, bottom, steps=4)
    page.mouse.up()
    page.wait_for_selector(".span-bar:popover-open")


every_text = pytest.mark.parametrize("raw", NASTY, ids=range(len(NASTY)))


@every_text
def test_mouse_and_keyboard_mark_what_they_show(show, raw):
    page = show(raw)
    drag(page, 0, -1)
    press(page, "1")
    page.focus("#text")
    press(page, "Enter", "2", "ArrowRight", "Shift+ArrowRight", "1", "End", "Alt+ArrowLeft", "2", "c", "1")
    spans = value(page)
    assert_quotes(raw, spans)
    assert len(spans) == 5
    whole = max(spans, key=lambda span: span["end"] - span["start"])
    assert whole["end"] - whole["start"] > len(raw) / 2


@every_text
@pytest.mark.parametrize("make", [render, plain])
def test_the_page_holds_the_raw_text_run_by_run(show, raw, make):
    page = show(raw + ODD, make)
    runs = page.evaluate(
        "[...document.querySelectorAll('.r:not(.atom)')].map((el) => [+el.dataset.s, +el.dataset.e, el.textContent])"
    )
    assert runs
    assert all((raw + ODD)[start:end] == text for start, end, text in runs)


@every_text
def test_any_selection_gives_whole_characters_of_the_raw_text(show, raw):
    page = show(raw)
    for found in page.evaluate(EVERY_SELECTION):
        assert raw[found["start"] : found["end"]] == found["quote"] != ""
        assert snap(raw, found["start"], found["end"]) == (found["start"], found["end"])


def test_overlapping_marks_survive_and_are_told_apart(show):
    page = show("The **river** is long and wide.")
    drag(page, 0, 1)
    press(page, "1")
    drag(page, 1, 2)
    press(page, "2")
    assert spans_in(page) == [("The **river", "wrong"), ("river** is long and wide.", "vague")]
    both = page.locator("mark", has_text="river")
    assert len(both.get_attribute("data-spans").split()) == 2
    assert both.get_attribute("title") == "Wrong fact, Vague"
    assert page.eval_on_selector_all("[data-tags]", "all => all.map((el) => el.dataset.tags)") == ["1", "2"]


def test_a_click_chooses_a_mark_and_the_next_click_the_one_beneath(show):
    page = show(
        "one two three",
        spans=[{"start": 0, "end": 7, "category": "wrong"}, {"start": 4, "end": 13, "category": "vague"}],
    )
    for category in ("wrong", "vague"):
        page.locator("mark", has_text="two").click()
        page.wait_for_selector(f'.span-bar [data-category="{category}"][aria-pressed="true"]')
    for keys, left in (("Delete", 1), ("Control+z", 2), ("Control+Shift+z", 1)):
        press(page, keys)
        assert len(value(page)) == left
    assert spans_in(page) == [("one two", "wrong")]


def test_the_bar_marks_by_mouse(show):
    page = show(EMOJI)
    drag(page, 0, 0)
    page.get_by_role("button", name="Vague").click()
    assert spans_in(page) == [(EMOJI, "vague")]
    page.locator("mark").click()
    page.get_by_role("button", name="Remove").click()
    assert value(page) == []


def test_a_typed_note_is_undone_as_a_whole_and_not_read_aloud(show):
    page = show(PLAIN_WORDS, spans=[{"start": 4, "end": 9, "category": "wrong"}])
    for note in ("l", "la", "lake"):
        page.evaluate("(note) => editor.update(editor.spans[0].id, { note })", note)
    assert value(page)[0]["note"] == "lake"
    assert page.get_by_role("status").text_content() == ""
    page.evaluate("editor.undo()")
    assert value(page)[0]["note"] == ""
    page.evaluate("editor.redo()")
    assert value(page)[0]["note"] == "lake"


def test_another_editor_can_take_over_with_the_same_marks(show):
    page = show(EMOJI, spans=[{"start": 0, "end": 3, "category": "wrong"}])
    page.focus("#text")
    press(page, "Enter")
    page.evaluate("editor.destroy()")
    assert page.locator(".span-bar, [role=application]").count() == 0
    page.evaluate(
        """async () => {
          const { SpanEditor } = await import("/static/js/spans.js");
          const old = editor;
          const data = JSON.parse(document.getElementById("data").textContent);
          window.editor = new SpanEditor(old.root, { ...data, spans: old.value() });
        }"""
    )
    page.focus("#text")
    press(page, "Enter", "End", "2")
    assert spans_in(page) == [("Ten", "wrong"), ("flags", "vague")]


def test_a_draft_comes_back_as_it_was(show):
    draft = [{"start": 4, "end": 9, "category": "wrong", "severity": 2, "note": "no", "correction": "lake"}]
    assert value(show(PLAIN_WORDS, spans=draft)) == [{**draft[0], "quote": "river"}]


def test_a_span_outside_the_text_is_refused(show):
    page = show("short")
    refused = "([s, e, c]) => { try { editor.add(s, e, c); } catch (error) { return error.name; } }"
    for wrong in ([0, 6, "wrong"], [2, 2, "wrong"], [0, 1, "other"]):
        assert page.evaluate(refused, wrong) == "RangeError"


def test_a_long_text_is_marked_at_its_end(show):
    raw = (TABLE + "\n\n" + CODE + "\n\n" + MATH + "\n\n") * 60 + "The very end."
    page = show(raw)
    page.focus("#text")
    press(page, "Enter", "End", "1")
    assert_quotes(raw, value(page))
    assert spans_in(page) == [("end", "wrong")]
