"""Cutting a response into the units that are taken out of it: marked stretches, sentences, clauses or words."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from ..segments import Bounds, sentences, subsentences
from ..types import Example

MOST = 32
_WORD_END = re.compile(r"(?<=\S)\s+(?=\S)")


def words(text: str) -> Bounds:
    """Each with the space behind it."""
    cuts = [0, *(found.end() for found in _WORD_END.finditer(text)), len(text)]
    return list(pairwise(cuts))


RULES: tuple[Callable[[str], Bounds], ...] = (sentences, subsentences, words)


def units(example: Example, offsets: np.ndarray, most: int = MOST) -> Bounds:
    """At most so many code-point ranges that together cover the response, each with a token of `offsets` (tokens, 2).

    Marked spans and the sentences around them where the example has spans, else sentences; of a response with a single
    one its clauses, and of a single clause its words. What the model does not read belongs to what stands before it.
    """
    spans = [(span.start, span.end) for span in example.spans or ()]
    return limited(_read(_around(example.response, spans) if spans else _plain(example.response), offsets), most)


def _plain(text: str) -> Bounds:
    tries = [covering(rule(text), len(text)) for rule in RULES]
    return next((found for found in tries if len(found) > 1), tries[0])


def _around(text: str, spans: Sequence[tuple[int, int]]) -> Bounds:
    """Cut where a span begins or ends, and at sentence ends outside spans."""
    edges = {edge for span in spans for edge in span}
    ends = {start for start, _ in sentences(text) if not any(a < start < b for a, b in spans)}
    cuts = sorted(edge for edge in edges | ends if 0 < edge < len(text))
    return list(zip([0, *cuts], [*cuts, len(text)], strict=True))


def covering(bounds: Bounds, length: int) -> Bounds:
    """The same ranges stretched to meet, from 0 to `length`; a text that has none is one, an empty one none."""
    starts = [0, *(start for start, _ in bounds[1:])] if length else []
    return list(zip(starts, [*starts[1:], length], strict=True)) if starts else []


def _read(bounds: Bounds, offsets: np.ndarray) -> Bounds:
    """Without units that hold no token: their text goes to the unit before."""
    if not bounds or not len(offsets):
        return []
    return covering([bounds[n] for n in np.unique(holding(bounds, offsets))], bounds[-1][1])


def holding(bounds: Bounds, offsets: np.ndarray) -> np.ndarray:
    """(tokens,) the unit in which each token ends: many tokenizers count the space before a word to it."""
    last = np.maximum(offsets[:, 1] - 1, offsets[:, 0])
    return np.searchsorted([start for start, _ in bounds], last, side="right") - 1


def limited(bounds: Bounds, most: int) -> Bounds:
    """At most so many: the two neighbours that are shortest together become one, again and again."""
    found = list(bounds)
    while len(found) > max(most, 1):
        n = min(range(len(found) - 1), key=lambda n: found[n + 1][1] - found[n][0])
        found[n : n + 2] = [(found[n][0], found[n + 1][1])]
    return found


def by_sentence(text: str, bounds: Bounds) -> list[int]:
    """The sentence in which each unit begins, by number."""
    starts = np.array([start for start, _ in covering(sentences(text), len(text))])
    return (np.searchsorted(starts, [start for start, _ in bounds], side="right") - 1).tolist()
