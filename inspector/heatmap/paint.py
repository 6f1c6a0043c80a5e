"""A response cut at the edges of tokens and marks, so that each piece has one contribution. PURE: no Django.

Offsets are code points into the raw text; the template escapes the pieces and lays the colours on.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from annotate.agreement import Interval, Undefined, auroc, undefined


@dataclass(frozen=True)
class Mark:
    """A stretch that a person marked, or that was planted."""

    start: int
    end: int
    category: str
    label: str
    colour: int  # 1 to 8: the custom property --c1 … --c8
    planted: bool = False
    note: str = ""


class Heat(NamedTuple):
    """A token's contribution, and how strong its colour is from 0 to 1."""

    text: str
    value: float
    strength: float
    number: int  # among the tokens of its list, from 0

    @property
    def way(self) -> str:
        return "up" if self.value > 0 else "down" if self.value < 0 else "still"


class Piece(NamedTuple):
    """A run of text whose contributions and marks are the same all over; thousands of them make a text."""

    text: str
    heats: tuple[Heat | None, ...]  # one per layer; None: between tokens, or past the end of what the model read
    marks: tuple[Mark, ...]
    begins: tuple[Mark, ...]  # marks whose first piece this is

    @property
    def heat(self) -> Heat | None:
        """Of the first layer."""
        return self.heats[0] if self.heats else None

    @property
    def lines(self) -> str:
        """Underlines of people's marks, one below the other, as a box-shadow."""
        colours = dict.fromkeys(mark.colour for mark in self.marks if not mark.planted)
        return ", ".join(f"0 {3 * (i + 1)}px 0 var(--c{c})" for i, c in enumerate(colours))

    @property
    def tags(self) -> list[tuple[str, int]]:
        """(words, colour) of people's marks that begin here, one per category: "wrong ×2" for two raters."""
        times = Counter((mark.category, mark.colour) for mark in self.begins if not mark.planted)
        return [(f"{key} ×{n}" if n > 1 else key, colour) for (key, colour), n in times.items()]

    @property
    def planted(self) -> bool:
        return any(mark.planted for mark in self.marks)


def heats(tokens: Sequence[Mapping], scale: float) -> list[Heat]:
    """Stored tokens as heats, full colour at |value| = scale."""
    return [
        Heat(t.get("text", ""), t["value"], min(1.0, abs(t["value"]) / scale) if scale else 0.0, i)
        for i, t in enumerate(tokens)
    ]


def pieces(text: str, tokens: Sequence[Mapping], marks: Sequence[Mark], scale: float) -> list[Piece]:
    """Cut the raw text at every edge; the pieces joined are the text. Tokens are response tokens, in order."""
    return layered(text, [(tokens, scale)], marks)


def layered(text: str, layers: Sequence[tuple[Sequence[Mapping], float]], marks: Sequence[Mark]) -> list[Piece]:
    """The same for several lists of tokens or stretches, each with its own scale: a piece has a heat of each."""
    edges = {0, len(text)} | {e for tokens, _ in layers for t in tokens for e in (t["start"], t["end"])}
    edges |= {e for mark in marks for e in (mark.start, mark.end)}
    cuts = sorted(edge for edge in edges if 0 <= edge <= len(text))
    over_each = [_over(tokens, scale) for tokens, scale in layers]
    found = []
    for start, end in pairwise(cuts):
        over = tuple(mark for mark in marks if mark.start <= start and end <= mark.end) if marks else ()
        begins = tuple(mark for mark in over if mark.start == start) if over else ()
        found.append(Piece(text[start:end], tuple(of(start, end) for of in over_each), over, begins))
    return found


def _over(tokens: Sequence[Mapping], scale: float) -> Callable[[int, int], Heat | None]:
    """The heat of what covers [start, end); of several, the one that begins last."""
    starts, hot = [t["start"] for t in tokens], heats(tokens, scale)
    reach = list(accumulate((t["end"] for t in tokens), max))

    def covering(start: int, end: int) -> Heat | None:
        at = bisect_right(starts, start) - 1
        while at >= 0 and reach[at] >= end:
            if tokens[at]["end"] >= end:
                return hot[at]
            at -= 1
        return None

    return covering


def marked_auroc(found: Sequence[Piece], wanted: Sequence[str] | None = None, sign: float = -1.0) -> Interval:
    """AUROC of sign · contribution against the characters people marked (in the wanted categories).

    What is marked as another category only is left out, as in inspector.stats.marks: who marked it did not look for
    these. One response gives no interval: its characters are not independent.
    """
    scores, labels = [], []
    for piece in found:
        human = {mark.category for mark in piece.marks if not mark.planted}
        hit = bool(human if wanted is None else human & set(wanted))
        if piece.heat is None or (human and not hit):
            continue
        scores += [sign * piece.heat.value] * len(piece.text)
        labels += [hit] * len(piece.text)
    try:
        return Interval(auroc(scores, labels), None, None, len(scores))
    except Undefined:
        return undefined("everything is marked" if any(labels) else "nothing is marked", len(scores))
