"""Spans made by mouse and by keyboard in a real browser: the real renderer, the real editor, no server."""

import json
import mimetypes
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from annotate.text import plain, render
from tests.browser import FLAGS, find

pytestmark = pytest.mark.e2e
STATIC = Path(__file__).resolve().parents[2] / "static"
ORIGIN = "http://touchstone.test/"
CATEGORIES = [{"key": "wrong", "label": "Wrong fact"}, {"key": "vague", "label": "Vague"}]
PAGE = """<!doctype html><meta charset="utf-8"><title>spans</title>
<link rel="stylesheet" href="/static/css/touchstone.css"><link rel="stylesheet" href="/static/css/text.css">
<main class="page"><input id="other"><div class="card"><div class="text" id="text">{html}</div></div></main>
<script type="application/json" id="data">{data}</script><script type="module" src="/page.js"></script>"""
SCRIPT = """import { SpanEditor } from "/static/js/spans.js";
const data = JSON.parse(document.getElementById("data").textContent);
window.heard = [];
addEventListener("keydown", (event) => window.heard.push(event.key));
window.editor = new SpanEditor(document.getElementById("text"), data);
document.documentElement.dataset.ready = "";"""
CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'"

PLAIN_WORDS = "The river is long. It ends in the sea."
EMOJI = "Ten 👩‍👩‍👧‍👦 families saw cafe\u0301 𝒳 🇩🇪 flags."
CRLF = "First line\r\nsecond line **bold**\r\n\r\nNew *paragraph* here."
TABLE = "| City | People |\n|---|---:|\n| Ünï `a\\|b` | 3 &amp; 4 |\n| Rome | 😀 five |\n\nAfter."
CODE = "Before 🐍:\n\n```python\ndef f(x):\n    return '😀' + x\n```\n\n> quoted\n> ```\n> inner  code\n> ```\n\nAfter."
MATH = r"So $x^2$ and \(y_1\) give \[ a+b \] and $$c$$ done."
RTL = "שלום **עולם** and مرحبا بكم end."
HTML = "a <b onclick=alert(1)>bold</b> &lt;x&gt; [link](javascript:alert(1)) ![pic](http://evil.test/p.png) z"
NESTED = "1. one\n   - two *three*\n     - four\n2. five [site](https://example.org/a) six\n\n[ref]: http://x.y"
NASTY = [PLAIN_WORDS, EMOJI, CRLF, TABLE, CODE, MATH, RTL, HTML, NESTED]


@pytest.fixture(scope="module")
def browser():
    if not find():
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def tab(browser):
    return browser.new_page(viewport={"width": 900, "height": 700})


@pytest.fixture
def show(tab):
    """show(raw) opens a page with the text and an editor on it; errors and outside requests fail the test."""
    trouble = []
    tab.on("pageerror", lambda error: trouble.append(str(error)))

    def page(raw, make=render, spans=()):
        data = json.dumps({"raw": raw, "categories": CATEGORIES, "spans": list(spans)}).replace("<", "\\u003c")
        bodies = {"": PAGE.format(html=make(raw), data=data), "page.js": SCRIPT}

        def serve(route):
            path = route.request.url.removeprefix(ORIGIN)
            kind = mimetypes.guess_type(path or "x.html")[0]
            if not route.request.url.startswith(ORIGIN):
                trouble.append(route.request.url)
                return route.abort()
            body = bodies[path] if path in bodies else (STATIC.parent / path).read_text()
            route.fulfill(body=body, content_type=f"{kind}; charset=utf-8", headers={"Content-Security-Policy": CSP})

        tab.unroute_all()
        tab.route("**/*", serve)
        tab.goto(ORIGIN)
        tab.wait_for_selector("[data-ready]", state="attached")
        return tab

    yield page
    assert trouble == []


def value(page):
    return page.evaluate("editor.value()")


def assert_quotes(raw, spans):
    """What the server will check: code points of the raw text."""
    for span in spans:
        assert raw[span["start"] : span["end"]] == span["quote"] != ""


def drag(page, first, last):
    """Drag the mouse from the left edge of one run to the right edge of another."""
    boxes = page.evaluate(
        """() => [...document.querySelectorAll("#text .r")].filter((el) => el.textContent.trim())
        .map((el) => [...el.getClientRects()].filter((box) => box.width))
        .filter((all) => all.length)
        .map((all) => [all[0].x, all[0].y + all[0].height / 2, all.at(-1).right, all.at(-1).y + all.at(-1).height / 2])"""
    )
    (left, top, *_), (*_, right, bottom) = boxes[first], boxes[last]
    page.mouse.move(left + 1, top)
    page.mouse.down()
    page.mouse.move(left + 3, top)
    page.mouse.move(right - 1, bottom, steps=4)
    page.mouse.up()
    page.wait_for_function("editor.range")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize("raw", NASTY, ids=range(len(NASTY)))
def test_mouse_and_keyboard_mark_what_they_show(show, raw):
    page = show(raw)
    drag(page, 0, -1)
    press(page, "1")
    page.focus("#text")
    press(page, "Enter", "2", "ArrowRight", "Shift+ArrowRight", "1", "End", "Alt+ArrowLeft", "2", "c", "1")
    spans = value(page)
    assert_quotes(raw, spans)
    assert len(spans) >= 4
    whole = max(spans, key=lambda span: span["end"] - span["start"])
    assert whole["end"] - whole["start"] > len(raw) / 2
