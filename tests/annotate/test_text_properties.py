"""For any string whatever: exact runs are where they say, everything shown is covered, nothing acts."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annotate.text import plain, prose, quote, render, runs, snap
from annotate.text.latex import PRICE, for_parser
from annotate.text.markdown import MARKDOWN
from tests.annotate.markup import TAGS, Reader

PIECES = [
    "# ", "## ", "> ", "- ", "1. ", "* ", "  ", "    ", "\t", "\n", "\r\n", "\n\n", "\r", "\r\n\r\n", "```",
    "```py\n", "~~~\n", "`", "``", "*", "**", "_", "~~", "|", "|-|-|\n",
    "| a | b |\n|---|:-:|\n| c\\|d | `e\\|f` |\n", "[", "](", ")", "![", "]: ", "<", ">", "<b>", "</script>",
    "<script>alert(1)</script>", "<svg onload=alert(1)>", "<!--", "-->", "<div onclick=x>\n", "<http://a.b>",
    "&amp;", "&#0;", "&lt;", "&nbsp;", "&bogus;", "&", "\\", "\\*", "\\(", "\\)", "\\[", "\\]", "$", "$5", "$x$", "$$",
    "x^2", "\\frac{a}{b}", "\\text{<b>}", "\\href{javascript:x}{y}", "javascript:alert(1)", "data:text/html,x",
    "http://e.org/a?b=1&c=2", "mailto:a@b.c", '"', "'", " onerror=", "e\u0301", "👩‍👩‍👧", "🇩🇪", "👍🏽", "שלום",
    "مرحبا", "中文", "\u200d", "\ufeff", "\u2028", "\x00", "\x0b", "\x0c", "\x85", "\ud800", "[x]", "[ ] ", "---",
    "===", "word", "é", "𝒳", "\xa0",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=24).map("".join)


def bare(text):
    return "".join(text.split())


@settings(max_examples=400, deadline=None)
@given(texts)
@example("a\r\n> `b\r\n> c`\r\n")
@example("\\(x\\) `\\(` and \\[y\\]")
def test_runs_are_where_they_say(raw):
    found = runs(raw)
    assert all(0 <= run.start < run.end <= len(raw) for run in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
    assert all(raw[run.start : run.end] == run.text for run in found if run.exact)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_markup_shows_the_runs_and_nothing_acts(raw):
    for markup in (render(raw), plain(raw), prose(raw)):
        page = Reader(markup)
        assert page.path == []
        assert page.tags <= TAGS
        for name, value in page.attributes:
            assert not name.startswith("on")
            assert name not in ("src", "style", "srcset", "action", "formaction")
            assert name != "href" or re.match(r"https?://|mailto:", value, re.IGNORECASE)
        markup.encode()
        assert PRICE not in markup or PRICE in raw
    exact = [run for run in Reader(render(raw)).runs if "atom" not in run[2]]
    assert all(raw[start:end] == text for start, end, _, text in exact)
    assert len(exact) == sum(run.exact for run in runs(raw))


KINDS = ("Text", "Code", "Html", "InlineHtml", "InlineMath", "DisplayMath")


def shown_by_the_parser(raw):
    """All that Markdown shows, by the parser's own events."""
    events = (event for event, _ in MARKDOWN.events_with_range(for_parser(raw)) if isinstance(event, dict))
    return bare("".join(event[kind] for event in events for kind in KINDS if kind in event)).replace(PRICE, "$")


@settings(max_examples=400, deadline=None)
@given(texts)
@example("$$x$# $$")
@example("![a $5 b](u$v)")
def test_every_shown_code_point_is_covered(raw):
    r"""In order. Left out are our own \(…\) and what cannot be encoded: the parser alone knows neither."""
    raw = re.sub(r"\\(?=[()\[\]\\])", "", re.sub("[\ud800-\udfff\0\ue000]", "", raw))
    covered = iter(bare("".join(run.text for run in runs(raw))))
    assert [ch for ch in shown_by_the_parser(raw) if ch not in covered] == []


@settings(max_examples=200, deadline=None)
@given(texts)
def test_plain_covers_everything(raw):
    page = Reader(plain(raw))
    edges = [run[:2] for run in page.runs]
    assert [start for start, _ in edges] == [0, *(end for _, end in edges)][: len(edges)]
    assert not raw or edges[-1][1] == len(raw)


@settings(max_examples=300, deadline=None)
@given(texts, st.data())
def test_snap_stays_inside_and_settles(raw, data):
    start = data.draw(st.integers(0, max(len(raw) - 1, 0)))
    end = data.draw(st.integers(start, len(raw)))
    if not raw[start:end].strip():
        with pytest.raises(ValueError):
            snap(raw, start, end)
        return
    found = snap(raw, start, end)
    kept = quote(raw, *found)
    assert raw[start:end].strip() in kept
    assert snap(raw, *found) == found
    cut = [run for run in runs(raw) if not run.exact and run.start < found[0] < run.end]
    assert cut == []
