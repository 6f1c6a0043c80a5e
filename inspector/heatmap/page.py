"""What the heat-map page shows: each chosen text painted by what its parts add to the score, and the books kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from annotate.agreement import Interval
from inspector import rows
from inspector.heatmap.asked import Asked
from inspector.heatmap.choice import Choice, Side
from inspector.heatmap.marks import marks
from inspector.heatmap.paint import Heat, Mark, Piece, heats, layered, marked_auroc
from inspector.heatmap.sums import PARTS, Bar, Sums, bars, in_order, margin, sums, widest
from worker.explain import METHODS, Method, parts_of
from worker.models import Attribution, EditAttribution, Version
from worker.models.attribution import Explained

Known = dict[tuple[int, str], Explained]  # (place of the side, method) → its explanation


@dataclass(frozen=True)
class Painted:
    """One text with everything the page says about it; in the view of the margin, with its sign there."""

    side: Side
    pieces: list[Piece]
    sums: Sums
    mass: float  # sum of all |values|: what a share is of
    bars: list[Bar]
    layers: list[Bar]
    prompt: list[Heat]
    special: list[Heat]
    legend: list[Mark]
    auroc: Interval
    beyond: bool  # the end of the text was not read by the model

    @property
    def planted(self) -> bool:
        return any(mark.planted for mark in self.legend)

    @property
    def prompt_sum(self) -> float:
        return sum(heat.value for heat in self.prompt)


@dataclass(frozen=True)
class Map:
    """The page below its controls."""

    choice: Choice
    keys: tuple[str, ...]  # the methods painted; more than one where they stand side by side
    sides: list[Painted]
    known: Known = field(repr=False)
    scale: float
    margin: Sums | None
    sentence: str

    @property
    def left(self) -> Painted:
        return self.sides[0]

    @property
    def right(self) -> Painted:
        return self.sides[-1]

    @property
    def method(self) -> Method:
        return METHODS[self.keys[0]]

    @property
    def part(self) -> str:
        """tokens, stretches or layers: what the first method shares the score over."""
        return PARTS[self.method.per]

    @property
    def methods(self) -> list[Method]:
        return [METHODS[key] for key in self.keys]

    @property
    def several(self) -> bool:
        return self.choice.mode == "methods"


def paint(version: Version, choice: Choice, asked: Mapping[str, Asked]) -> Map | None:
    """The map, or None while an explanation that it needs is missing."""
    keys = [choice.method] if asked[choice.method].there else []
    if choice.mode == "methods":
        keys = [key for key, one in asked.items() if one.there]
    if not keys:
        return None
    known = explanations(version, choice, keys)
    usual = choice.method if choice.method in keys else keys[0]
    shown = [key for key in keys if METHODS[key].per != "layer"] or [usual]
    sides = _painted(version, choice, known, usual, shown if choice.mode == "methods" else [usual])
    signed = [(side.sign, known[place, usual]) for place, side in enumerate(choice.sides)]
    total = margin(signed) if len(signed) > 1 else None
    scale = _scale(choice, known, usual)
    keys = tuple(shown) if choice.mode == "methods" else (usual,)
    return Map(choice, keys, sides, known, scale, total, _sentence(version, choice, sides, total))


def explanations(version: Version, choice: Choice, keys: list[str]) -> Known:
    """Of every side by these methods, under the chosen head."""
    stored = Attribution.objects.filter(version=version, response__in=choice.responses, head=choice.head)
    by_id = {(one.response_id, one.method): one for one in stored.filter(method__in=keys)}
    edited = EditAttribution.objects.filter(edit=choice.edit, head=choice.head, method__in=keys) if choice.edit else ()
    of_edit = {one.method: one for one in edited}
    return {
        (place, key): of_edit[key] if side.edited else by_id[side.source.pk, key]
        for place, side in enumerate(choice.sides)
        for key in keys
    }


def inside(side: Side, found: Explained) -> list[dict]:
    """The parts that lie in the text, in its order: tokens of the response, or stretches; none for layers."""
    per = METHODS[found.method].per
    if per == "unit":
        found_in = [unit | {"text": side.text[unit["start"] : unit["end"]]} for unit in found.units]
    else:
        found_in = _part(found, "response") if per == "token" else []
    return sorted(found_in, key=lambda part: part["start"])


def _part(found: Explained, part: str) -> list[dict]:
    return [token for token in found.tokens if token["part"] == part]


def _scale(choice: Choice, known: Known, key: str) -> float:
    """The largest |value| in any of the texts: one scale for all of them."""
    shown = (inside(side, known[place, key]) for place, side in enumerate(choice.sides))
    return widest([part["value"] for parts in shown for part in parts])


def _painted(version: Version, choice: Choice, known: Known, usual: str, shown: list[str]) -> list[Painted]:
    scales = {key: _scale(choice, known, key) for key in shown}
    of_all = [known[place, usual] for place in range(len(choice.sides))]
    widths = [widest([v for one in of_all for v in one.features.values()])]
    widths.append(widest([layer["value"] for one in of_all for layer in one.layers]))
    people = marks(version, choice)
    found = []
    for place, side in enumerate(choice.sides):
        sign = side.sign if choice.mode == "margin" else 1
        told = {key: known[place, key] for key in [usual, *shown]}
        layers = [(_signed(inside(side, told[key]), sign), scales[key]) for key in shown]
        own = [] if side.edited else people.get(side.response.pk, [])
        found.append(_one(side, told[usual], layered(side.text, layers, own), own, scales[shown[0]], widths, sign))
    return found


def _signed(parts: list[dict], sign: int) -> list[dict]:
    return parts if sign > 0 else [part | {"value": -part["value"]} for part in parts]


def _one(
    side: Side, told: Explained, cut: list[Piece], own: list[Mark], scale: float, widths: list[float], sign: int
) -> Painted:
    kind, _, key = told.head.partition(":")
    only, way = ([key], sign) if kind == "segment" else (None, -sign)
    read = [part["end"] for part in inside(side, told)]
    return Painted(
        side=side,
        pieces=cut,
        sums=sums(told).times(sign),
        mass=sum(abs(part["value"]) for part in parts_of(told)),
        bars=bars(told.features, widths[0], sign),
        layers=in_order(told.layers, widths[1], sign),
        prompt=heats(_signed(_part(told, "prompt"), sign), scale),
        special=heats(_signed(_part(told, "special"), sign), scale),
        legend=list({(mark.category, mark.planted): mark for mark in own}.values()),
        auroc=marked_auroc(cut, only, way),
        beyond=bool(read) and bool(side.text[max(read) :].strip()),
    )


def _sentence(version: Version, choice: Choice, sides: list[Painted], total: Sums | None) -> str:
    """What the model says of the texts, and what people said."""
    if total is None:
        return f"The model's {choice.head} of this text is {sides[0].sums.score:.2f}.".replace("-", "−")
    if choice.edit:
        return _of_edit(choice, total.score)
    higher = "A" if total.score > 0 else "B"
    says = f"The model's {choice.head} is higher for {higher}, by {abs(total.score):.2f}."
    says = says if total.score else "Both score the same."
    ids = {choice.a.pk, choice.b.pk}
    pair = next((p for p in rows.judged_pairs(version.project, choice.item) if {p.first, p.second} == ids), None)
    if pair is None:
        return f"{says} People have not compared these two."
    if not pair.decided:
        return f"{says} People could not separate them ({pair.judgements} judged)."
    return f"{says} People prefer {'A' if pair.chosen == choice.a.pk else 'B'} ({pair.judgements} judged)."


def _of_edit(choice: Choice, change: float) -> str:
    if not change:
        return f"The edit leaves the model's {choice.head} as it was."
    return f"The edit {'raises' if change > 0 else 'lowers'} the model's {choice.head} by {abs(change):.2f}."
