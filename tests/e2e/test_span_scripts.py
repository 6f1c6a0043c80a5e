"""Random texts of many scripts, marked by mouse and keyboard: each quote is raw[start:end], also in the database."""

import json
import random

import pytest

from annotate.text import plain, render, snap
from tests.e2e.span_page import press, value
from tests.e2e.test_spans import EVERY_SELECTION, assert_quotes

pytestmark = pytest.mark.e2e
KINDS = {
    "arabic": ["مرحبا بكم", "في ١٢٣ مدينة", "الـسَّلَامُ", "، ثم؟ ", "abc"],
    "hebrew": ["שלום עולם", "שָׁלוֹם", "(בסוגריים)", "12:30", " mixed in "],
    "chinese": ["中文文本没有空格", "我们今天去北京。", "日本語のテキスト、", "한국어 문장", "𠮷野家"],
    "emoji": ["👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "👍🏽", "cafe\u0301", "𝒳𝒴", "🏳️‍🌈", "1️⃣"],
    "line ends": ["first\r\nsecond", "\r\n\r\n", "two  spaces", "   ", "tab\tbed", "hard  \nbreak", "\xa0", "\u200b"],
    "table": ["\n\n| a 😀 | שם |\n|:-|-:|\n| c\\|d | `e\\|f` |\n| **g** | 中 |\n\n"],
    "code": ["\n\n```python\ndef f(x):  # 😀\n\treturn x\n```\n\n", "`in  line`", "\n\n> ```\n> quoted\n> ```\n\n"],
    "latex": ["$x^2$", r"\(\frac{a}{b}\)", "\n\n$$\\sum_i x_i$$\n\n", "costs $5 and $6", r"\[ \text{<b>} \]"],
    "markup": ["**bold _both_**", "[link](http://e.org)", "![pic](http://e.org/p.png)", "&amp;&nbsp;", "<b onclick=x>"],
}
KEYS = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowLeft", "Alt+ArrowLeft",
        "Alt+ArrowRight", "Home", "End", "w", "s", "c", "1", "2", "n", "p", "o", "+"]  # fmt: skip


def text(kind, seed=0):
    """Pieces of one kind among plain words and a few pieces of the others, in an order of their own for each seed."""
    chance = random.Random(f"{kind} {seed}")
    others = [piece for pieces in KINDS.values() for piece in pieces]
    pieces = KINDS[kind] * 2 + chance.sample(others, 4) + ["Plain words.", "\n\n", "- item "]
    chance.shuffle(pieces)
    return "Begin " + " ".join(pieces) + " end."


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@pytest.mark.parametrize("make", [render, plain])
def test_any_selection_in_any_script_is_the_raw_text(show, kind, make):
    for seed in range(2):
        raw = text(kind, seed)
        found = show(raw, make).evaluate(EVERY_SELECTION)
        assert found
        assert_quotes(raw, found)
        if make is render:
            assert [snap(raw, one["start"], one["end"]) for one in found] == [
                (one["start"], one["end"]) for one in found
            ]


@every_kind
def test_any_keys_in_any_script_mark_the_raw_text(show, kind):
    for seed in range(2):
        raw, chance = text(kind, seed), random.Random(seed)
        page = show(raw, omissions=[])
        page.focus("#text")
        press(page, "Enter", "1", *chance.choices(KEYS, k=60), "End", "2")
        assert_quotes(raw, value(page))
        assert len(value(page)) > 1
        assert all(0 <= one["at"] <= len(raw) for one in page.evaluate("editor.missing()"))
        assert page.evaluate("document.activeElement.id") == "text"


SEED = """
import json, sys
from annotate.models import User
from annotate.services.project import add_member, create_project
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
from tests.e2e.test_span_scripts import KINDS, text
alice, bob = User.objects.order_by("pk")
project = create_project(slug="scripts", name="Scripts", actor=alice, overlap=1)
add_member(project=project, user=bob, role="annotator", actor=alice)
for kind in KINDS:
    make_tasks(project=project, items=[make_item(project, kind, text(kind, 1), text(kind, 2))])
"""
STORED = """
SELECT i.turns, r.text, s.start, s.end, s.quote FROM annotate_span s
JOIN annotate_response r ON r.id = s.response_id JOIN annotate_item i ON i.id = r.item_id
JOIN annotate_project p ON p.id = i.project_id WHERE p.slug = 'scripts'
"""


def answer(page):
    """Mark on the left by keyboard and on the right by mouse, submit, and wait for the next page."""
    old = page.url
    page.wait_for_selector("html[data-ready]")
    press(page, "s", "ArrowRight", "Shift+ArrowRight", "1", "s", "End", "2", "c", "Home", "3", "Escape")
    page.locator(".response").nth(1).locator("[data-view=rendered] .r:not(.atom)").first.click(click_count=3)
    page.wait_for_selector(".span-bar:popover-open")
    press(page, "1", "5")
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: url != old)


def test_the_database_has_what_was_marked_in_each_script(site, database, seat):
    site.run(SEED)
    seat.goto(f"{site.url}/p/scripts/judge/")
    for _ in KINDS:
        answer(seat)
    stored = [tuple(row) for row in database.connection.execute(STORED)]
    assert {json.loads(turns)[-1]["content"] for turns, *_ in stored} == set(KINDS)
    assert len(stored) >= 4 * len(KINDS)
    assert all(raw[start:end] == quote != "" for _, raw, start, end, quote in stored)
