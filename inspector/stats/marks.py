"""Does the model point at the words that people marked? Areas under two curves, with intervals. PURE numpy.

A token's value is how strongly the model objects to it. What is ranked are characters: each has the value of its
token, so a mark that ends inside a token counts for what it covers, and models with other tokens are asked about the
same text. Characters of one token are not independent, nor are responses to one prompt: whole prompts are redrawn.

    AUROC   the chance that a marked character stands above one that nobody marked, ties half; ½ by lot
    AUPRC   average precision: Σ over marked characters of the precision at their value, by their number; by lot the
            share of what is marked

Both pooled over all responses, and as the mean over the responses that have marked and unmarked characters. Of one
kind of marks, what is marked as another kind only is left out: who marked it did not look for this kind.

The values are exact. Their draws are made of histograms by prompt, in BINS bins that are fine where marks are, and
moved by what the bins change in the value itself; of at most BINS different values they are exact, too.

Sources: Hanley & McNeil, Radiology 143 (1982), of the AUROC · Davis & Goadrich, ICML 2006, of the AUPRC and why it is
not drawn as straight lines · Efron & Tibshirani, An Introduction to the Bootstrap (1993).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from annotate.agreement import Interval, undefined
from inspector.stats.correlation import blocked, interval, redrawn

BINS = 256
# As worker.rm.segments: before a space and no small letter; at the end of a line; or after a full stop of Chinese.
SENTENCE_END = re.compile(r"(?<![.!?])[.!?]+[\"'”’)\]]*\s+(?![a-z\s])|[。！？]+|(?<!\s)\s*\n\s*")
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Words:
    """Tokens of several responses, a row each."""

    response: np.ndarray  # (n,) from 0
    start: np.ndarray  # (n,) its first character
    value: np.ndarray  # (n,) how strongly the model objects to it
    clean: np.ndarray  # (n,) its characters that nobody marked
    marked: Mapping[str, np.ndarray]  # kind → (n,) its characters that are marked as this
    prompt: np.ndarray  # (responses,) from 0

    def valued(self, value: np.ndarray) -> "Words":
        return replace(self, value=np.asarray(value, dtype=float))

    def later(self) -> "Words":
        """A trivial baseline: objecting to a word the more, the later it stands."""
        return self.valued(self.start)

    def longer(self) -> "Words":
        """Another: objecting to every word of a response as much as it is long."""
        size = self.clean + (self.marked["any"] if "any" in self.marked else sum(self.marked.values()))
        return self.valued(np.bincount(self.response, size, len(self.prompt))[self.response])


@dataclass(frozen=True)
class Areas:
    """Of one kind of marks. `base` is the share of characters that are marked, what AUPRC is by lot."""

    auroc: Interval
    auprc: Interval
    base: Interval
    within_auroc: Interval
    within_auprc: Interval
    within_base: Interval


def areas(words: Words, alone: Mapping[str, np.ndarray] | None = None) -> dict[str, Areas]:
    """Kind → its areas; n of an interval is the number of responses that it was made of. `alone` is each(words)."""
    if not len(words.prompt):
        return {kind: Areas(*[undefined("there is no response")] * 6) for kind in words.marked}
    place, block, kinds = _binned(words), blocked(words.prompt), list(words.marked)
    groups, alone = int(block.max()) + 1, alone or each(words)
    counts = [_histogram(words, count, place, block) for count in (words.clean, *words.marked.values())]
    table = np.hstack([*counts, *(_sums(alone[kind], block, groups) for kind in kinds)])
    draws = np.vstack([table.sum(0), redrawn(table)])  # row 0 is the value itself
    bins = counts[0].shape[1] * np.arange(1, len(counts) + 1)
    clean, *drawn = np.split(draws, [*bins, *bins[-1] + 4 * np.arange(1, len(kinds))], axis=1)
    pooled = _runs(np.zeros(len(words.value), dtype=np.int64), words.value)
    exact = {kind: _areas(pooled, words.marked[kind], words.clean, 1)[0] for kind in kinds}
    return {
        kind: Areas(*_pooled(words, kind, exact[kind], clean, hist, groups), *_within(means, groups))
        for kind, hist, means in zip(kinds, drawn[: len(kinds)], drawn[len(kinds) :], strict=True)
    }


def each(words: Words) -> dict[str, np.ndarray]:
    """Kind → (responses, 3) AUROC, AUPRC and base of every response alone; NaN without both classes."""
    runs, responses = _runs(words.response, words.value), len(words.prompt)
    return {kind: _areas(runs, count, words.clean, responses) for kind, count in words.marked.items()}


def difference(before: Sequence[float], after: Sequence[float], prompt: Sequence) -> Interval:
    """Mean of after − before over responses where both are known; whole prompts are redrawn."""
    change = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    known = ~np.isnan(change)
    if not known.any():
        return undefined("no response has both")
    block = blocked(np.unique(np.asarray(prompt)[known], return_inverse=True)[1])
    table = np.stack([np.bincount(block), np.bincount(block, change[known])], axis=1).astype(float)
    draws = np.vstack([table.sum(0), redrawn(table)])
    mean = draws[:, 1] / draws[:, 0]
    return interval(mean[0], mean[1:], int(known.sum()), len(table))


# ---- From texts to rows


def characters(starts: np.ndarray, ends: np.ndarray, length: int, spans: Spans) -> np.ndarray:
    """(tokens,) how many characters of each token any of the spans covers."""
    covered = np.zeros(length + 1, dtype=np.int64)
    for start, end in spans:
        covered[start + 1 : end + 1] = 1
    upto = np.cumsum(covered)
    return upto[np.minimum(ends, length)] - upto[np.minimum(starts, length)]


def totals(starts: np.ndarray, ends: np.ndarray, values: np.ndarray, spans: Spans) -> np.ndarray:
    """(spans,) sum of the values in each span; a token that it cuts gives it the share of its characters."""
    edges = np.array(spans, dtype=float).reshape(-1, 2)
    inside = np.minimum(ends, edges[:, 1:]) - np.maximum(starts, edges[:, :1])
    return (np.clip(inside, 0, None) / np.maximum(ends - starts, 1)) @ values


def united(spans: Spans) -> list[tuple[int, int]]:
    """Spans that overlap made one, in order; spans that only touch stay two."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def sentences(text: str) -> list[tuple[int, int]]:
    """Where its sentences and lines stand, without the space around them."""
    edges = [0, *(found.end() for found in SENTENCE_END.finditer(text)), len(text)]
    parts = [(start, text[start:end]) for start, end in pairwise(edges)]
    bare = [(start + len(part) - len(part.lstrip()), part.strip()) for start, part in parts]
    return [(start, start + len(part)) for start, part in bare if part]


# ---- Exact areas


class _Runs(NamedTuple):
    """Rows sorted by group and value; what is equal there is one run, and counts at once."""

    order: np.ndarray  # (n,)
    run: np.ndarray  # (n,) of each sorted row
    group: np.ndarray  # (runs,)


def _runs(group: np.ndarray, value: np.ndarray) -> _Runs:
    order = np.lexsort((value, group))
    group, value = group[order], value[order]
    new = np.ones(len(value), dtype=bool)
    new[1:] = (np.diff(group) != 0) | (np.diff(value) != 0)
    return _Runs(order, np.cumsum(new) - 1, group[new])


def _areas(runs: _Runs, marked: np.ndarray, clean: np.ndarray, groups: int) -> np.ndarray:
    """(groups, 3) AUROC, AUPRC and base over rows that count so often; NaN without both classes."""
    marked, clean = (np.bincount(runs.run, column[runs.order]) for column in (marked, clean))
    all_marked, all_clean = (np.bincount(runs.group, column, groups) for column in (marked, clean))
    before = [np.cumsum(total) - total for total in (all_marked, all_clean)]
    below_marked = np.cumsum(marked) - marked - before[0][runs.group]
    below_clean = np.cumsum(clean) - clean - before[1][runs.group]
    won = np.bincount(runs.group, marked * (below_clean + clean / 2), groups)
    found, passed = all_marked[runs.group] - below_marked, all_clean[runs.group] - below_clean
    with np.errstate(invalid="ignore", divide="ignore"):
        precise = np.bincount(runs.group, np.where(marked > 0, marked * found / (found + passed), 0.0), groups)
        three = won / (all_marked * all_clean), precise / all_marked, all_marked / (all_marked + all_clean)
    return np.where((all_marked * all_clean > 0)[:, None], np.stack(three, axis=1), np.nan)


# ---- Draws


def _binned(words: Words) -> np.ndarray:
    """(n,) the bin of each token's value, higher where the value is; half of the edges lie where marks are."""
    different = np.unique(words.value)
    if len(different) > BINS:
        at = (np.arange(BINS // 2) + 0.5) / (BINS // 2)
        hit = np.any([column > 0 for column in words.marked.values()], axis=0)
        parts = [words.value, words.value[hit]] if hit.any() else [words.value]
        different = np.unique(np.concatenate([np.quantile(part, at) for part in parts]))
    return np.searchsorted(different, words.value)


def _histogram(words: Words, count: np.ndarray, place: np.ndarray, block: np.ndarray) -> np.ndarray:
    """(blocks, bins) characters"""
    bins = int(place.max()) + 1 if len(place) else 1
    cells = block[words.response] * bins + place
    return np.bincount(cells, count, (int(block.max()) + 1) * bins).reshape(-1, bins)


def _sums(table: np.ndarray, block: np.ndarray, groups: int) -> np.ndarray:
    """(groups, 4) how many responses have both classes, and the sums of their three areas"""
    known = ~np.isnan(table[:, 0])
    columns = [np.ones(known.sum()), *table[known].T]
    return np.stack([np.bincount(block[known], column, groups) for column in columns], axis=1)


def _pooled(
    words: Words, kind: str, exact: np.ndarray, clean: np.ndarray, marked: np.ndarray, groups: int
) -> list[Interval]:
    """`exact` are the three areas, clean and marked the histograms of all and of each draw."""
    n = len(words.prompt)
    if np.isnan(exact[0]):
        return [undefined("everything is marked" if words.marked[kind].any() else "nothing is marked", n)] * 3
    moved = (np.clip(draws - draws[0] + value, 0, 1) for draws, value in zip(_drawn(clean, marked), exact, strict=True))
    return [interval(draws[0], draws[1:], n, groups) for draws in moved]


def _drawn(clean: np.ndarray, marked: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(draws, bins) twice → (draws,) AUROC, AUPRC and base; NaN of a draw without both classes."""
    all_marked, all_clean = marked.sum(1), clean.sum(1)
    found, passed = (np.cumsum(part[:, ::-1], axis=1)[:, ::-1] for part in (marked, clean))
    below = all_clean[:, None] - passed
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc = (marked * (below + clean / 2)).sum(1) / (all_marked * all_clean)
        auprc = np.where(marked > 0, marked * found / (found + passed), 0.0).sum(1) / all_marked
        base = all_marked / (all_marked + all_clean)
    both = np.where(all_marked * all_clean > 0, 1.0, np.nan)
    return auroc * both, auprc * both, base * both


def _within(sums: np.ndarray, groups: int) -> list[Interval]:
    """Means over responses, of the sums and their redraws."""
    count = int(sums[0, 0])
    if not count:
        return [undefined("no response has marked and unmarked words")] * 3
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums[:, 1:] / sums[:, :1]
    return [interval(column[0], column[1:], count, groups) for column in means.T]
