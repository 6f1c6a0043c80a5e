"""Unitised agreement of marks on texts: Krippendorff's α_U, per category and for all of them. PURE numpy.

One rater's marks of one category cut a text of L code points into units (marked) and gaps. For every ordered pair of
raters of the text, two units that overlap differ by (b − b′)² + (e − e′)², b and e being their ends, and a unit that
touches none of the other's units differs by its length². Chance lets each of all N units, of length l, meet every
other unit at every offset and every gap of length G ≥ l at every place inside it:

    O = Σ_texts (1 / (m − 1)) Σ_raters i≠j δ²        E = Σ_units [ (N−1)/3 (2l³ − 3l² + l) + l² Σ_gaps (G − l + 1) ]
    α_U = 1 − D_o / D_e,   D_o = O / T,   D_e = 2 E / (T (T − 1) − Σ_units l (l − 1)),   T = Σ_texts m L

For one text this is Krippendorff's own formula (a factor L has gone from D_o and D_e alike). Several texts are one
continuum whose units lie inside a text, with 1 / (m − 1) as for α where texts have different numbers of raters: so a
text in which all raters mark much beside one in which none does speaks for agreement. Over categories,
α_U = 1 − Σ_c D_o / Σ_c D_e. A text with fewer than two raters says nothing and is left out.

Sources: Krippendorff, Sociological Methodology 25 (1995) 47 · Krippendorff, Content Analysis (2004) p. 251–256.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from annotate.agreement.intervals import Interval, percentiles, undefined

GROUPS = 1000
Lengths = Sequence[Sequence[int]]  # (length, how many), each length once


class Marks(NamedTuple):
    """All that α_U needs of one text and category, or of many texts: sums, so that texts can be added. JSON-able."""

    observed: float  # Σ δ² / (m − 1), in code points²
    positions: int  # Σ m L: what every rater saw
    units: Lengths
    gaps: Lengths


NONE = Marks(0.0, 0, (), ())


def marks(length: int, raters: Sequence[Sequence[tuple[int, int]]]) -> Marks:
    """What to store of one text and one category: each rater's spans [start, end) among 0 … length.

    A rater who looked and marked nothing is an empty list; one who did not look is not there. Spans of one rater that
    overlap are one unit, since a category cannot be marked twice; spans that only touch stay two.
    """
    if len(raters) < 2 or not length:
        return NONE
    cut = [_united(length, spans) for spans in raters]
    lengths = Counter(int(n) for units in cut for n in units[:, 1] - units[:, 0])
    empty = Counter(n for units in cut for n in _gaps(length, units))
    observed = _observed(cut) / (len(raters) - 1)
    return Marks(observed, length * len(raters), _pairs(lengths), _pairs(empty))


def merge(texts: Iterable[Marks | Sequence]) -> Marks:
    """The sum of what was stored; takes what json.loads gives, too."""
    observed, positions, units, gaps = 0.0, 0, Counter(), Counter()
    for more, seen, long, wide in texts:
        observed, positions = observed + more, positions + seen
        for total, found in ((units, long), (gaps, wide)):
            for size, n in found:
                total[size] += n
    return Marks(observed, positions, _pairs(units), _pairs(gaps))


def _pairs(lengths: Counter) -> list[list[int]]:
    return [[size, n] for size, n in sorted(lengths.items()) if n]


def _united(length: int, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """(units, 2) starts and ends in order, overlapping spans joined."""
    found: list[list[int]] = []
    for start, end in sorted(map(tuple, spans)):
        if not 0 <= start < end <= length:
            raise ValueError(f"span {start}–{end} lies outside 0–{length} or is empty")
        if found and start < found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return np.array(found, dtype=float).reshape(-1, 2)


def _gaps(length: int, units: np.ndarray) -> list[int]:
    """Lengths of what lies between the units of one rater."""
    sizes = np.append(units[:, 0], length) - np.insert(units[:, 1], 0, 0)
    return [int(n) for n in sizes if n > 0]


def _observed(cut: Sequence[np.ndarray]) -> float:
    """Σ δ² over ordered pairs of raters, gaps included."""
    units, whose = np.concatenate(cut), np.repeat(np.arange(len(cut)), [len(units) for units in cut])
    if not len(units):
        return 0.0
    start, end = units.T
    meet = (start[:, None] < end) & (start < end[:, None]) & (whose[:, None] != whose)
    apart = (start[:, None] - start) ** 2 + (end[:, None] - end) ** 2
    met = np.zeros((len(units), len(cut)), bool)  # unit × rater: does it touch a unit of theirs?
    np.logical_or.at(met.T, whose, meet.T)
    alone = len(cut) - 1 - met.sum(1)
    return float(apart[meet].sum() + 2 * (alone * (end - start) ** 2).sum())


def span_alpha(texts: Sequence[Marks | Sequence], draws: int = 1000, seed: int = 0) -> Interval:
    """α_U of one category from what `marks` gave of each text, with a bootstrap by text.

    A text may also be the sum of several (`merge`): an interval from some hundred sums of randomly grouped texts is as
    wide as one from the texts themselves. More than GROUPS of them are grouped here, in that way.
    """
    return joint_span_alpha({"": texts}, draws, seed)


def joint_span_alpha(
    categories: Mapping[str, Sequence[Marks | Sequence]], draws: int = 1000, seed: int = 0
) -> Interval:
    """α_U over all categories; each holds the same texts in the same order."""
    texts = {category: list(map(Marks._make, found)) for category, found in categories.items()}
    if len({tuple(text.positions for text in found) for found in texts.values()}) > 1:
        raise ValueError("every category needs the same texts in the same order")
    seen = [i for i, text in enumerate(next(iter(texts.values()), ())) if text.positions]
    if not seen:
        return undefined("no text was marked by two raters")
    rng = np.random.default_rng(seed)
    parts = [_grouped([found[i] for i in seen], seed) for found in texts.values()]
    n = len(parts[0])
    weights = rng.multinomial(n, np.full(n, 1 / n), draws).astype(float)
    disagreement = np.array([_disagreement(np.vstack([np.ones(n), weights]), found) for found in parts])
    observed, expected = disagreement.sum(0)
    value, *drawn = 1 - observed / np.where(expected > 0, expected, np.nan)
    if np.isnan(value):
        marked = any(text.units for found in parts for text in found)
        return undefined("chance could not differ either" if marked else "nobody marked anything", len(seen))
    return percentiles(float(value), np.array(drawn), len(seen), "too few texts have a mark for an interval")


def _grouped(texts: list[Marks], seed: int) -> list[Marks]:
    """At most GROUPS sums, each of texts taken at random; every category takes the same ones together."""
    if len(texts) <= GROUPS:
        return texts
    order = np.random.default_rng(seed).permutation(len(texts))
    return [merge(texts[i] for i in part) for part in np.array_split(order, GROUPS)]


def _disagreement(weights: np.ndarray, texts: Sequence[Marks]) -> np.ndarray:
    """(2, draws) D_o and D_e of the texts taken as often as (draws, texts) weights say."""
    sizes, units = _table([text.units for text in texts])
    fits = np.array([_places(sizes, text.gaps) for text in texts]).reshape(units.shape)
    positions = weights @ np.array([text.positions for text in texts], dtype=float)
    number = weights @ units  # (draws, sizes)
    overlap = (2 * sizes**3 - 3 * sizes**2 + sizes) / 3
    expected = (number.sum(1) - 1) * (number @ overlap) + (number * sizes**2 * (weights @ fits)).sum(1)
    possible = positions * (positions - 1) - number @ (sizes * (sizes - 1))
    observed = weights @ np.array([text.observed for text in texts])
    return np.array([observed / positions, 2 * np.maximum(expected, 0) / possible])


def _table(lengths: Sequence[Lengths]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct lengths, and how many of each a text has: (texts, lengths)."""
    sizes = np.array(sorted({size for found in lengths for size, _ in found}), dtype=float)
    table = np.zeros((len(lengths), len(sizes)))
    for row, found in zip(table, lengths, strict=True):
        for size, n in found:
            row[np.searchsorted(sizes, size)] += n
    return sizes, table


def _places(sizes: np.ndarray, gaps: Lengths) -> np.ndarray:
    """In how many places a unit of each size fits into the gaps: Σ n (G − size + 1) over the gaps G ≥ size."""
    wide, n = np.array(gaps, dtype=float).reshape(-1, 2).T
    number, total = (np.append(np.cumsum(x[::-1])[::-1], 0) for x in (n, n * wide))
    first = np.searchsorted(wide, sizes)
    return total[first] - number[first] * (sizes - 1)
