"""A page with nothing but a text and its editor: the real renderer and the real script, with nothing behind them."""

import functools
import json
import mimetypes
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from annotate.text import plain, render

STATIC = Path(__file__).resolve().parents[2] / "static"
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


class Texts(BaseHTTPRequestHandler):
    """Gives the page that was opened last, and scripts and styles, which a browser may keep from page to page."""

    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    page = ""

    def do_GET(self):
        given = {"/": self.page, "/page.js": SCRIPT}
        body = given[self.path] if self.path in given else (STATIC.parent / self.path[1:]).read_text()
        self.send_response(200)
        kind = mimetypes.guess_type(self.path)[0] or "text/html"
        for name, text in {"Content-Type": f"{kind}; charset=utf-8", "Content-Security-Policy": CSP}.items():
            self.send_header(name, text)
        self.send_header("Cache-Control", "no-store" if self.path == "/" else "max-age=3600")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@functools.cache
def origin():
    """Where the pages are; they are served as long as this process lives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Texts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


@pytest.fixture(scope="package")
def tab(chromium):
    tab = chromium.new_page(viewport={"width": 900, "height": 700})
    yield tab
    tab.close()


def open_page(tab, raw, make=render, spans=(), **options):
    """A page with the text and an editor on it."""
    data = {"raw": raw, "categories": CATEGORIES, "spans": list(spans)} | options
    data = json.dumps(data).replace("<", "\\u003c")
    Texts.page = PAGE.format(html=make(raw), plain=plain(raw), data=data)
    tab.goto(origin())
    tab.wait_for_selector("[data-ready]", state="attached")
    return tab


@pytest.fixture
def show(tab):
    """show(raw, …) opens a page with the text and an editor on it; errors and requests to elsewhere fail the test."""
    trouble = []
    heard = {
        "pageerror": lambda error: trouble.append(str(error)),
        "request": lambda sent: sent.url.startswith(origin()) or trouble.append(sent.url),
    }
    for name, hear in heard.items():
        tab.on(name, hear)
    yield functools.partial(open_page, tab)
    for name, hear in heard.items():
        tab.remove_listener(name, hear)
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
