"""The judged pairs beside the heat-map, the most surprising first: an order kept until scores or verdicts change."""

from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

from annotate.models import Item
from inspector import columns, rows
from inspector.heatmap.choice import Choice
from inspector.kept import kept
from worker.models import Version

LISTED = 40


class Judged(NamedTuple):
    """A decided pair and the model's margin for what people prefer, None without scores; below 0 it disagrees."""

    item: int
    first: int
    second: int
    surprise: float | None

    @property
    def against(self) -> bool:
        return self.surprise is not None and self.surprise < 0


@dataclass(frozen=True)
class Pairs:
    """(pairs, 4) item, first and second response, and surprise; NaN without scores."""

    table: np.ndarray

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, place: int) -> Judged:
        *ids, surprise = self.table[place].tolist()
        return Judged(*map(int, ids), None if surprise != surprise else surprise)

    @property
    def items(self) -> set[int]:
        return set(self.table[:, 0].astype(int).tolist())

    @property
    def against(self) -> int:
        return int((self.table[:, 3] < 0).sum())

    def of(self, items: Collection[int]) -> "Pairs":
        return Pairs(self.table[np.isin(self.table[:, 0], list(items))])

    def place(self, choice: Choice | None) -> int | None:
        """Where the chosen responses stand; None where they are no decided pair."""
        wanted = sorted((choice.a.pk, choice.b.pk)) if choice else (0, 0)
        return next(iter(np.flatnonzero((self.table[:, 1:3] == wanted).all(axis=1)).tolist()), None)


def judged(version: Version) -> Pairs:
    """Decided pairs; first those where the model is against people by the largest margin, last those without scores."""
    made_of = f"{columns.scored_rows(version)},{columns.judged_rows(version.project)}"
    found = kept(version, "pairs", made_of, lambda: {"float64": b64encode(_table(version).tobytes()).decode()})
    return Pairs(np.frombuffer(b64decode(found["float64"])).reshape(-1, 4))


def _table(version: Version) -> np.ndarray:
    scored = rows.scores(version)
    found = [_judged(pair, scored) for pair in rows.judged_pairs(version.project) if pair.decided]
    ordered = sorted(found, key=lambda one: (one.surprise is None, one.surprise or 0.0, one.first))
    return np.array(ordered, dtype=float).reshape(-1, 4)


def _judged(pair: rows.Pair, scored: dict[int, rows.Scored]) -> Judged:
    surprise = None
    if {pair.first, pair.second} <= scored.keys():
        margin = scored[pair.first].value - scored[pair.second].value
        surprise = margin if pair.p > 0.5 else -margin
    return Judged(pair.item, pair.first, pair.second, surprise)


def around(pairs: Pairs, choice: Choice | None) -> dict:
    """A window of the list about the chosen pair, with the items' names, and the pairs before and after it."""
    here = pairs.place(choice)
    start = max(0, min((here or 0) - LISTED // 4, len(pairs) - LISTED))
    shown = [pairs[place] for place in range(start, min(start + LISTED, len(pairs)))]
    items = Item.objects.in_bulk({one.item for one in shown})
    return {
        "pairs": [(one, items[one.item], _query(one, choice)) for one in shown],
        "first": start + 1,
        "total": len(pairs),
        "against": pairs.against,
        "current": pairs[here] if here is not None else None,
        "previous": _query(pairs[here - 1], choice) if here else "",
        "next": _query(pairs[here + 1], choice) if here is not None and here + 1 < len(pairs) else "",
    }


def _query(one: Judged, choice: Choice | None) -> str:
    if choice is None:
        return urlencode({"item": one.item, "a": one.first, "b": one.second})
    return choice.query_of(one.item, one.first, one.second)
