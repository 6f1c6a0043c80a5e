"""Complaint 19 (annotation.md §2): long texts froze the editor. In 25 kB with 200 marks a key redraws what it marks."""

import pytest

from annotate.text import plain, render
from tests.benchmarks.span_editor import MARKS, marks, text
from tests.e2e.span_page import press, value

pytestmark = pytest.mark.e2e
WATCH = """() => {
  window.changed = 0;
  const count = (changes) => changes.forEach(({ addedNodes, removedNodes }) =>
    (window.changed += Math.max(1, addedNodes.length + removedNodes.length)));
  new window.MutationObserver(count).observe(document.body,
    { subtree: true, childList: true, attributes: true, characterData: true });
}"""
MOST = 60  # nodes or attributes that one key may touch: the words of a mark, the bar and what is read aloud


@pytest.mark.parametrize("make", [render, plain])
def test_a_key_in_a_long_text_redraws_what_it_marks_and_no_more(show, make):
    raw = text()
    page = show(raw, make, marks(raw))
    assert len(value(page)) == MARKS
    page.focus("#text")
    press(page, "Enter")
    page.evaluate(WATCH)
    touched = {}
    for key in ("ArrowRight", "Shift+ArrowRight", "1", "+", "c", "ArrowLeft", "Control+z", "n", "Delete"):
        page.evaluate("window.changed = 0")
        press(page, key)
        page.evaluate("new Promise(requestAnimationFrame)")
        touched[key] = page.evaluate("window.changed")
    assert all(count <= MOST for count in touched.values()), touched
    assert touched["1"] > 0
