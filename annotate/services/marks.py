"""Error spans held against the texts and against the project's rules for them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from annotate.schema import Schema

if TYPE_CHECKING:
    from annotate.services.answer import Mark

LOOSE = " \t\r\n.,;:!?…、。，；：！？،؛؟"  # what a shortest mark neither begins nor ends with


def check_spans(spans: Sequence["Mark"], texts: Mapping[int, str], schema: Schema) -> str:
    """What is wrong with the first bad mark, or nothing. Marks are numbered from 1, as on the page."""
    keys = {category.key for category in schema.categories}
    for number, mark in enumerate(spans, 1):
        if wrong := _place(mark, texts) or _words(mark, schema):
            return f"Span {number}: {wrong}"
        if mark.category not in keys:
            return f"Span {number}: {mark.category!r} is not a category of this project."
    numbered = list(enumerate(spans, 1))
    together = (_together(*pair, schema) for pair in combinations(numbered, 2) if _rules(schema))
    return next(filter(None, together), "")


def _rules(schema: Schema) -> bool:
    return schema.rules.shortest or schema.rules.one_type


def _place(mark: "Mark", texts: Mapping[int, str]) -> str:
    text = texts.get(mark.response)
    if text is None:
        return f"response {mark.response} is not part of this task."
    if not mark.start < mark.end <= len(text):
        return f"{mark.start}–{mark.end} is not inside the {len(text)} characters of the response."
    right = text[mark.start : mark.end] == mark.quote
    return "" if right else f"the quote is not what stands at {mark.start}–{mark.end}."


def _words(mark: "Mark", schema: Schema) -> str:
    """A mark on punctuation alone has nothing shorter to be."""
    loose = mark.quote.strip(LOOSE) not in ("", mark.quote)
    return "mark the shortest words: no space or punctuation at the ends." if schema.rules.shortest and loose else ""


def _together(first: tuple[int, "Mark"], second: tuple[int, "Mark"], schema: Schema) -> str:
    (n, a), (m, b) = first, second
    if a.response != b.response or a.end <= b.start or b.end <= a.start:
        return ""
    if schema.rules.one_type and a.category != b.category:
        return f"Spans {n} and {m} overlap, and in this project a stretch of text has one category."
    around = (a.start <= b.start and b.end <= a.end) or (b.start <= a.start and a.end <= b.end)
    if schema.rules.shortest and a.category == b.category and around:
        return f"Spans {n} and {m}: one lies inside the other; keep the shorter one."
    return ""
