"""The books of an explanation: baseline + features + parts + residual = score, of a text or of a margin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.explain import parts_of
from worker.models.attribution import Explained

PARTS = {"token": "tokens", "unit": "stretches", "layer": "layers"}  # nosec B105  # words


@dataclass(frozen=True)
class Sums:
    """baseline + features + parts + residual = score."""

    baseline: float
    features: float
    parts: float  # tokens, stretches or layers
    residual: float
    score: float

    def times(self, sign: float) -> "Sums":
        return Sums(*(sign * getattr(self, name) for name in self.__dataclass_fields__))

    def plus(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Bar:
    name: str
    value: float
    width: float  # percent of the track, which runs to both sides of zero

    @property
    def way(self) -> str:
        return "up" if self.value >= 0 else "down"


def sums(found: Explained) -> Sums:
    parts = sum(part["value"] for part in parts_of(found))
    return Sums(found.baseline, sum(found.features.values()), parts, found.residual, found.score)


def margin(found: Sequence[tuple[int, Explained]]) -> Sums:
    """Of (sign, explanation) pairs, added up."""
    first, *rest = (sums(one).times(sign) for sign, one in found)
    for other in rest:
        first = first.plus(other)
    return first


def bars(values: Mapping[str, float], widest: float, sign: float = 1) -> list[Bar]:
    """The largest first; half the track at |value| = widest."""
    ordered = sorted(values.items(), key=lambda one: -abs(one[1]))
    return [Bar(name, sign * value, 50 * abs(value) / widest if widest else 0.0) for name, value in ordered]


def in_order(layers: Sequence[Mapping], widest: float, sign: float = 1) -> list[Bar]:
    """Layers from the first to the last."""
    scale = 50 / widest if widest else 0.0
    return [Bar(one["name"], sign * one["value"], scale * abs(one["value"])) for one in layers]


def widest(values: Sequence[float]) -> float:
    return max(map(abs, values), default=0.0)
