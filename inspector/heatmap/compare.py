"""Methods side by side: what each makes of the same texts, its cost, how far they agree; and all as numbers."""

from bisect import bisect_right
from dataclasses import asdict, dataclass
from itertools import combinations

from inspector.heatmap.page import Map, inside
from inspector.heatmap.sums import Sums, margin, sums
from inspector.stats.agree import Agreement, agreement, over_units
from inspector.stats.marks import sentences
from worker.explain import METHODS, Method
from worker.models.attribution import Explained

COSTS = ("tokens", "seconds", "nodes")


@dataclass(frozen=True)
class Row:
    """One method: its books of the margin (of the text where there is one), and what it cost for all texts shown."""

    method: Method
    sums: Sums
    cost: dict[str, float | None]  # tokens read, seconds, nodes of a path; None where nobody counted


@dataclass(frozen=True)
class Between:
    """How far two methods agree, and over how many of what."""

    first: Method
    second: Method
    over: str
    found: Agreement


def table(shown: Map) -> list[Row]:
    return [Row(METHODS[key], _books(shown, key), _cost(shown, key)) for key in _keys(shown)]


def _keys(shown: Map) -> list[str]:
    there = {key for _, key in shown.known}
    return [key for key in METHODS if key in there]


def _books(shown: Map, key: str) -> Sums:
    sides = shown.choice.sides
    signed = [(side.sign, shown.known[place, key]) for place, side in enumerate(sides)]
    return margin(signed) if len(signed) > 1 else sums(signed[0][1])


def _cost(shown: Map, key: str) -> dict[str, float | None]:
    """Tokens and seconds added up over the texts, nodes the most that one of them needed."""
    costs = [shown.known[place, key].cost for place in range(len(shown.sides))]
    found = {name: [cost[name] for cost in costs if cost.get(name) is not None] for name in COSTS}
    return {name: (max if name == "nodes" else sum)(values) if values else None for name, values in found.items()}


def between(shown: Map) -> list[Between]:
    """Every two of the methods painted, over the tokens of all texts; over stretches where one of them has those."""
    return [_between(shown, first, second) for first, second in combinations(shown.keys, 2)]


def _between(shown: Map, first: str, second: str) -> Between:
    per_unit = next((key for key in (first, second) if METHODS[key].per == "unit"), None)
    values: tuple[list[float], list[float]] = ([], [])
    of: list[int] = []  # sentences
    for place, side in enumerate(shown.choice.sides):
        one, other = (inside(side, shown.known[place, key]) for key in (first, second))
        cut = inside(side, shown.known[place, per_unit or first])
        for column, parts in zip(values, (one, other), strict=True):
            column += _over(parts, cut) if per_unit else _over_same(parts, cut)
        of += _sentences(side.text, cut, max(of, default=-1) + 1)
    over = "stretches" if per_unit else "tokens"
    return Between(METHODS[first], METHODS[second], over, agreement(*values, of))


def _sentences(text: str, cut: list[dict], first: int) -> list[int]:
    """The sentence in which each part begins, numbered from `first`."""
    starts = [start for start, _ in sentences(text)]
    return [first + max(0, bisect_right(starts, one["start"]) - 1) for one in cut]


def _over(parts: list[dict], cut: list[dict]) -> list[float]:
    places = [(one["start"], one["end"]) for one in cut]
    return over_units([part["start"] for part in parts], [part["value"] for part in parts], places)


def _over_same(parts: list[dict], cut: list[dict]) -> list[float]:
    """Values at the tokens of `cut`; nothing was added where a method read no further."""
    known = {(part["start"], part["end"]): part["value"] for part in parts}
    return [known.get((one["start"], one["end"]), 0.0) for one in cut]


def sentence(found: list[Between]) -> str:
    """Which two agree most and least."""
    known = sorted((one for one in found if one.found.spearman.value is not None), key=lambda o: o.found.spearman.value)
    if not known:
        return "Two methods are needed to say how far they agree: ask for another below."
    low, high = known[0], known[-1]
    best = high.found.spearman
    pair = _pair(high)
    said = f"{pair[0].upper()}{pair[1:]} agree most (Spearman {best.value:.2f} over {best.n:,} {high.over})"
    rest = f", {_pair(low)} least ({low.found.spearman.value:.2f})" if len(known) > 1 else ""
    return f"{said}{rest}.".replace("-0", "−0").replace("-1", "−1")


def _pair(one: Between) -> str:
    return f"{one.first.name} and {one.second.name}"


def numbers(shown: Map) -> dict:
    """Everything painted as plain values, for a file."""
    sides = [_numbers(shown, place) for place in range(len(shown.sides))]
    agreed = [
        {"first": one.first.name, "second": one.second.name, "over": one.over, **vars(one.found)}
        for one in between(shown)
    ]
    margins = [{"method": row.method.name, **asdict(row.sums), **row.cost} for row in table(shown)]
    return {
        "sentence": shown.sentence,
        "head": shown.choice.head,
        "margin_of": shown.choice.margin if shown.margin else "",
        "methods": margins,
        "agreement": agreed,
        "texts": sides,
    }


def _numbers(shown: Map, place: int) -> dict:
    side = shown.choice.sides[place]
    explained = [_plain(shown.known[place, key]) for key in _keys(shown)]
    return {"name": side.name, "text": side.text, "explanations": explained}


def _plain(found: Explained) -> dict:
    lists = {"tokens": found.tokens, "units": found.units, "layers": found.layers}
    return {"method": found.method, **asdict(sums(found)), "feature": found.features, "cost": found.cost, **lists}
