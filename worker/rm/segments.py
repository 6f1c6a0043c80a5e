"""Cutting a response into segments, and what people's spans say about each."""

import re
from collections.abc import Sequence

import numpy as np

from .types import SpanLabel

CLEAN, ERROR, IGNORE = 0, 1, -1
# A sentence ends at . ! ? (with closing quotes) before a space and no small letter, or at a line's end.
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+[\"'”’)\]]*\s+(?![a-z\s])|(?<!\s)\s*\n\s*")
_CLAUSE_END = re.compile(r"(?<=[,;!?])\s+")
Bounds = list[tuple[int, int]]


def sentences(text: str) -> Bounds:
    """Code-point ranges of the sentences; together they cover the text. One-word ones join the next."""
    return _cut(text, [found.end() for found in _SENTENCE_END.finditer(text)], least=2)


def subsentences(text: str) -> Bounds:
    """Ranges of at least five words, cut after , ; ! ? inside each sentence; shorter ones are merged.

    The rule of Fine-Grained RLHF (arXiv 2306.01693) for relevance, repetition and coherence.
    """
    found: Bounds = []
    for start, end in sentences(text):
        inside = text[start:end]
        cuts = [clause.end() for clause in _CLAUSE_END.finditer(inside)]
        found += [(start + a, start + b) for a, b in _cut(inside, cuts, least=5)]
    return found


RULES = {"sentence": sentences, "subsentence": subsentences}


def _cut(text: str, cuts: Sequence[int], least: int) -> Bounds:
    """Pieces between cuts; a piece under `least` words grows to the right, the last one to the left."""
    found: Bounds = []
    start = 0
    for end in [*cuts, len(text)]:
        if len(text[start:end].split()) >= least:
            found.append((start, end))
            start = end
    if start < len(text) and text[start:].strip():
        found = [*found[:-1], (found[-1][0], len(text))] if found else [(start, len(text))]
    return found


def of_tokens(bounds: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(tokens,) the segment of each token: the last one that starts at or before it."""
    return np.searchsorted(bounds[:, 0], offsets[:, 0], side="right") - 1


def label(bounds: np.ndarray, spans: Sequence[SpanLabel], category: str) -> np.ndarray:
    """(segments,) ERROR where a span of the category overlaps, IGNORE where only another category's does, else CLEAN.

    One who marked a segment as irrelevant did not check its facts: such a segment says nothing about other
    categories (the Ignore rule of Fine-Grained RLHF, for every category).
    """
    found = np.full(len(bounds), CLEAN, dtype=np.int8)
    for span in sorted(spans, key=lambda span: span.category == category):
        overlaps = (bounds[:, 0] < span.end) & (span.start < bounds[:, 1])
        found[overlaps] = ERROR if span.category == category else IGNORE
    return found
