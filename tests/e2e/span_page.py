"""A page with nothing but a text and its editor: the real renderer, the real script, no server."""

import json
import mimetypes
from pathlib import Path

import pytest

from annotate.text import plain, render

STATIC = Path(__file__).resolve().parents[2] / "static"
ORIGIN = "http://touchstone.test/"
CATEGORIES = [{"key": "wrong", "label": "Wrong fact"}, {"key": "vague", "label": "Vague"}]
PAGE = """<!doctype html><meta charset="utf-8"><title>spans</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/static/css/touchstone.css"><link rel="stylesheet" href="/static/css/text.css">
<main class="page"><input id="other"><div class="card"><div class="text" id="text">{html}</div>
<div class="text" id="raw" hidden>{plain}</div></div></main>
<script type="application/json" id="data">{data}</script><script type="module" src="/page.js"></script>"""
SCRIPT = """import { SpanEditor } from "/static/js/spans.js";
const data = JSON.parse(document.getElementById("data").textContent);
window.heard = [];
addEventListener("keydown", (event) => window.heard.push(event.key));
const start = performance.now();
window.editor = new SpanEditor(document.getElementById("text"), data);
requestAnimationFrame(() => setTimeout(() => {
  window.opened = performance.now() - start;
  document.documentElement.dataset.ready = "";
}));"""
CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'"

PLAIN_WORDS = "The river is long. It ends in the sea."


@pytest.fixture(scope="module")
def tab(chromium):
    tab = chromium.new_page(viewport={"width": 900, "height": 700})
    yield tab
    tab.close()


def open_page(tab, raw, make=render, spans=(), trouble=None, **options):
    """A page with the text and an editor on it; requests to elsewhere are refused and written into `trouble`."""
    data = {"raw": raw, "categories": CATEGORIES, "spans": list(spans)} | options
    page = PAGE.format(html=make(raw), plain=plain(raw), data=json.dumps(data).replace("<", "\\u003c"))
    bodies = {"": page, "page.js": SCRIPT}

    def serve(route):
        path = route.request.url.removeprefix(ORIGIN)
        kind = mimetypes.guess_type(path or "x.html")[0]
        if not route.request.url.startswith(ORIGIN):
            (trouble if trouble is not None else []).append(route.request.url)
            return route.abort()
        body = bodies[path] if path in bodies else (STATIC.parent / path).read_text()
        route.fulfill(body=body, content_type=f"{kind}; charset=utf-8", headers={"Content-Security-Policy": CSP})

    tab.unroute_all()
    tab.route("**/*", serve)
    tab.goto(ORIGIN)
    tab.wait_for_selector("[data-ready]", state="attached")
    return tab


@pytest.fixture
def show(tab):
    """show(raw, …) opens a page with the text and an editor on it; errors and outside requests fail the test."""
    trouble = []
    hear = lambda error: trouble.append(str(error))  # noqa: E731
    tab.on("pageerror", hear)
    yield lambda *arguments, **options: open_page(tab, *arguments, trouble=trouble, **options)
    tab.remove_listener("pageerror", hear)
    assert trouble == []


def value(page):
    return page.evaluate("editor.value()")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def spans_in(page):
    """[(quote, category)] of what is marked."""
    return [(span["quote"], span["category"]) for span in value(page)]


def double_click(page, word):
    """Double-click the first place of a word in the text."""
    box = page.evaluate(
        """(word) => {
        const walker = document.createTreeWalker(editor.root, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const at = walker.currentNode.data.indexOf(word);
          if (at < 0) continue;
          const range = document.createRange();
          range.setStart(walker.currentNode, at), range.setEnd(walker.currentNode, at + word.length);
          return range.getBoundingClientRect().toJSON();
        }
      }""",
        word,
    )
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector(".span-bar:popover-open")
