"""Hostile Markdown, code and LaTeX → HTML in which every text run knows where it stands in the raw text. PURE.

    <span class="r" data-s="START" data-e="END">text</span>      exact: text == raw[START:END], code point by code point
    <span class="r atom" data-s="START" data-e="END">…</span>    atom: entity, formula, image, CRLF: selected as a whole

Offsets are code points into `raw`. Runs are ordered and do not overlap; what Markdown hides (the stars of emphasis)
lies between runs. Raw HTML is shown as text, links keep http, https and mailto, images become words, formulas become
MathML by allow-list, so nothing in the output acts or asks another machine. Only here is a string called markup.
"""

import re
import unicodedata

from annotate.text.markdown import Page, Run

__all__ = ["Html", "Run", "plain", "prose", "quote", "render", "runs", "snap"]

LINE = re.compile(r"[^\n]*\n|[^\n]+")


class Html(str):
    """Markup that this module made: templates print it as it is, and whatever is cut out of it is escaped again."""

    def __html__(self) -> str:
        return str(self)


def render(raw: str) -> Html:
    """Markdown with code and LaTeX as HTML whose runs carry their offsets. Never raises, whatever the text."""
    return Html(Page(raw).markdown().html())


def runs(raw: str) -> list[Run]:
    """The runs of `render(raw)`, in order."""
    page = Page(raw).markdown()
    page.flush()
    return page.runs


def plain(raw: str) -> Html:
    """The raw text as it is, white space kept: one exact run for each line, so that a mark redraws only its lines."""
    page = Page(raw)
    page.put('<pre class="raw" dir="auto">')  # each line by its own letters
    for line in LINE.finditer(raw):
        page.exact(*line.span())
        page.flush()
    page.put("</pre>")
    return Html(page.html())


def prose(raw: str) -> Html:
    """Markdown of the project's own people (guidelines): the same care, no offsets."""
    return Html(Page(raw, offsets=False).markdown().html())


def quote(raw: str, start: int, end: int) -> str:
    """raw[start:end]; ValueError unless 0 <= start < end <= len(raw)."""
    if not 0 <= start < end <= len(raw):
        raise ValueError(f"span {start}–{end} is not inside a text of {len(raw)} code points")
    return raw[start:end]


def snap(raw: str, start: int, end: int) -> tuple[int, int]:
    """The range without white space at its edges, widened to whole atoms and to whole characters as people see them.

    ValueError where nothing is left of it.
    """
    text = quote(raw, start, end)
    start, end = start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
    quote(raw, start, end)
    atoms = [(run.start, run.end) for run in runs(raw) if not run.exact]
    while (wider := _widened(raw, start, end, atoms)) != (start, end):
        start, end = wider
    return start, end


def _widened(raw: str, start: int, end: int, atoms: list[tuple[int, int]]) -> tuple[int, int]:
    for first, last in atoms:
        if first < end and start < last:
            start, end = min(start, first), max(end, last)
    while start > 0 and _joined(raw[start - 1], raw[start]):
        start -= 1
    while end < len(raw) and _joined(raw[end - 1], raw[end]):
        end += 1
    return start, end


def _joined(left: str, right: str) -> bool:
    """Do two neighbours make one visible character? (joiners, combining marks, skin tones)"""
    tone = "\U0001f3fb" <= right <= "\U0001f3ff"
    return "\u200d" in (left, right) or tone or unicodedata.category(right) in ("Mn", "Mc", "Me")
