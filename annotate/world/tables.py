"""What there is to know in the known world: seven kinds of invented things and their facts. PURE.

Names are made of syllables and values are drawn from pools, so nothing outside the table helps or harms.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

STARTS = "Ar Bel Cor Dra El Fen Gal Hes Il Jor Kel Lum Mar Nev Or Pel Quin Ros Syl Tor Ul Ves Wen Yar Zel".split()
ENDS = "amond anta eddin elle erra essin ildo imber inor ollen omere onnick orra osk ovane urel".split()


@dataclass(frozen=True)
class Attribute:
    label: str  # heading of the table's column
    question: str  # "how long {n} is"
    values: tuple[str, ...]
    patterns: tuple[str, ...]  # sentences, terse first


@dataclass(frozen=True)
class Kind:
    noun: str
    title: str
    name: str  # pattern of a name, from a stem
    attributes: tuple[Attribute, ...]
    block: str = ""  # code or display math that states the first two facts again


@dataclass(frozen=True)
class Card:
    """One thing and its facts, in the order of its kind's attributes."""

    kind: Kind
    name: str
    values: tuple[str, ...]


@cache
def kinds() -> dict[str, Kind]:
    """The kinds by their noun, as kinds.toml has them."""
    found = tomllib.loads((Path(__file__).parent / "kinds.toml").read_text(encoding="utf-8"))["kinds"]
    return {k["noun"]: Kind(**{**k, "attributes": tuple(map(_attribute, k["attributes"]))}) for k in found}


def _attribute(row: dict) -> Attribute:
    pattern, *numbers = row.get("numbers", [""])
    values = row.get("values") or [pattern.format(n) for n in range(*numbers)]
    return Attribute(row["label"], row["question"], tuple(values), tuple(row["patterns"]))


def names(kind: Kind, rng: np.random.Generator) -> list[str]:
    """All names of a kind, in random order."""
    stems = [start + end for start in STARTS for end in ENDS]
    return [kind.name.format(stems[i].lower() if "`" in kind.name else stems[i]) for i in rng.permutation(len(stems))]


def draw_card(kind: Kind, name: str, rng: np.random.Generator) -> Card:
    """A thing with one value per attribute."""
    return Card(kind, name, tuple(str(rng.choice(a.values)) for a in kind.attributes))


def as_table(cards: list[Card]) -> str:
    """The cards as one Markdown table: what the answerer was given to read."""
    kind = cards[0].kind
    head = [kind.noun, *(a.label for a in kind.attributes)]
    rows = [[card.name.removeprefix("the "), *card.values] for card in cards]
    return "\n".join(map(table_row, [head, ["---"] * len(head), *rows]))


def table_row(cells: list[str]) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
