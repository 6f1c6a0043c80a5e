"""What can be right or wrong, and its traits: held-out pairs and verdicts of people, and the rows of a suite."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotate.models import Item, Project, Span, User
from annotate.models.item import Split
from inspector import columns as read
from inspector.columns import Columns
from inspector.slices.scripts import script_of
from inspector.stats import slices
from worker.models import Version
from worker.services.snapshot import verdicts
from worker.services.suite import CATEGORY, category_of

MOST_LABELS, MOST_KEYS = 12, 4  # of a trait; of an item's metadata
LANGUAGE = ("language", "lang")
LENGTHS = {0.5: "chosen less than half as long", 0.9: "chosen shorter", 1.1: "about as long", 2.0: "chosen longer"}
LONGEST = "chosen more than twice as long"
STRENGTHS = {1: "slightly better", 2: "better", 3: "much better"}


@dataclass(frozen=True)
class Trait:
    """Which rows have which label; a row may have several, or none."""

    name: str
    labels: tuple[str, ...]
    rows: np.ndarray
    codes: np.ndarray

    def inside(self, label: int, n: int) -> np.ndarray:
        """(n,) booleans"""
        found = np.zeros(n, dtype=bool)
        found[self.rows[self.codes == label]] = True
        return found


@dataclass(frozen=True)
class Table:
    """One row for each thing that is right or wrong."""

    unit: str  # "pair", "verdict" or "row"
    keys: np.ndarray  # (n, 3) item, chosen, rejected; of a suite 1 for a question, its id, 0
    which: np.ndarray  # its prompt, from 0
    credit: np.ndarray
    margin: np.ndarray
    baselines: Mapping[str, np.ndarray]  # credits
    agreed: np.ndarray  # share of the raters' pairs that agree; NaN where one rater judged
    traits: tuple[Trait, ...]


def trait(name: str, values: Sequence[str | None], rows: Sequence[int] | None = None) -> Trait:
    """Of each row's label, "" and None being none; labels past MOST_LABELS are put together."""
    counted = Counter(filter(None, values))
    labels = [label for label, _ in counted.most_common(MOST_LABELS)]
    if len(counted) > MOST_LABELS:
        labels.append(f"others ({len(counted) - MOST_LABELS})")
    place = {label: n for n, label in enumerate(labels[:MOST_LABELS])}
    rows = range(len(values)) if rows is None else rows
    told = [(row, place.get(value, MOST_LABELS)) for row, value in zip(rows, values, strict=True) if value]
    table = np.array(told, dtype=np.int64).reshape(-1, 2)
    return Trait(name, tuple(labels), table[:, 0], table[:, 1])


def by_length(name: str, values: np.ndarray, unit: str) -> Trait:
    """Equally full buckets."""
    place, ends = slices.buckets(values.round().astype(int)) if len(values) else (np.zeros(0, int), [])
    labels = tuple(f"{low:,}–{high:,} {unit}" if low < high else f"{low:,} {unit}" for low, high in ends)
    return Trait(name, labels, np.arange(len(values)), place)


def by_difference(chosen: np.ndarray, rejected: np.ndarray) -> Trait:
    """How much longer the chosen one is, by fixed ratios."""
    ratio = (chosen + 1e-9) / (rejected + 1e-9)
    names = [*LENGTHS.values(), LONGEST]
    place = np.searchsorted(list(LENGTHS), ratio, side="right")
    used, place = np.unique(place, return_inverse=True)
    return Trait("Difference in length", tuple(names[n] for n in used), np.arange(len(ratio)), place)


def longer(chosen: np.ndarray, rejected: np.ndarray) -> np.ndarray:
    """(n,) credit of always preferring the longer; ½ for equals."""
    return (np.sign(chosen - rejected) + 1) / 2


def asked(turns: Sequence[Mapping], metadata: Mapping) -> tuple[str, str]:
    """(language, number of turns) of a conversation: the language that its metadata names, or else the script."""
    named = next((str(metadata[key])[:40] for key in LANGUAGE if metadata.get(key)), "")
    users = sum(turn["role"] == "user" for turn in turns)
    many = "one turn" if users == 1 else "four turns or more" if users > 3 else f"{users} turns"
    return named or script_of(turns[-1]["content"]), many


# ---- Held-out prompts


@dataclass(frozen=True)
class _Said:
    """One row per decided verdict on two scored responses of a held-out prompt; rows of Columns."""

    shown: np.ndarray  # the one shown first
    chosen: np.ndarray
    rejected: np.ndarray
    weight: np.ndarray
    rater: tuple[str, ...]
    strength: tuple[str, ...]

    def baselines(self, columns: Columns) -> dict[str, np.ndarray]:
        return _baselines((self.shown == self.chosen) * 1.0, columns.tokens[self.chosen], columns.tokens[self.rejected])


def _baselines(first: np.ndarray, chosen: np.ndarray, rejected: np.ndarray) -> dict[str, np.ndarray]:
    """`majority` is always the side, first or second, that was preferred more often in the table."""
    side = first if not len(first) or first.mean() >= 0.5 else 1 - first
    return {"first": first, "longer": longer(chosen, rejected), "majority": side}


def held_out(version: Version) -> tuple[Table, Table] | None:
    """Decided pairs and decided verdicts of people on held-out prompts; None while nothing is scored."""
    columns = read.read(version)
    if columns is None:
        return None
    said = _said(version.project, columns)
    return _pairs(version.project, columns, said), _verdicts(columns, said)


def _said(project: Project, columns: Columns) -> _Said:
    fields = ("rater_id", "rater_name", "strength", "weight", "shown_order", "outcome", "ranking")
    held = project.judgements.of_people().filter(item__split=Split.TEST).order_by("pk")
    rows, who, strength = [], [], []
    for rater, name, strong, weight, *judgement in held.values_list(*fields).iterator(5000):
        for first, second, p in verdicts(*judgement):
            if p != 0.5:
                rows.append((first, first if p > 0.5 else second, second if p > 0.5 else first, weight))
                who.append((rater, name))
                strength.append(STRENGTHS.get(strong, ""))
    table = np.array(rows, dtype=float).reshape(-1, 4)
    places = [columns.place(table[:, n].astype(np.int64)) for n in range(3)]
    keep = np.flatnonzero((places[1] >= 0) & (places[2] >= 0))
    names = _names(who)
    picked = (tuple(values[n] for n in keep) for values in ([names[one] for one in who], strength))
    return _Said(*(place[keep] for place in places), table[keep, 3], *picked)


def _names(who: Sequence[tuple]) -> dict[tuple, str]:
    users = dict(User.objects.filter(pk__in={pk for pk, _ in who if pk}).values_list("pk", "username"))
    return {one: users.get(one[0]) or one[1] or "a nameless rater" for one in set(who)}


def _verdicts(columns: Columns, said: _Said) -> Table:
    n = len(said.chosen)
    traits = (trait("Rater", said.rater), trait("Strength of the verdict", said.strength))
    return _table("verdict", columns, said.chosen, said.rejected, said.baselines(columns), np.full(n, np.nan), traits)


def _table(unit, columns, chosen, rejected, baselines, agreed, traits) -> Table:
    margin = columns.values[chosen] - columns.values[rejected]
    keys = np.stack([columns.item[chosen], columns.response[chosen], columns.response[rejected]], axis=1)
    which = np.unique(columns.which[chosen], return_inverse=True)[1]
    return Table(unit, keys, which, (np.sign(margin) + 1) / 2, margin, baselines, agreed, traits)


def _pairs(project: Project, columns: Columns, said: _Said) -> Table:
    """What the weighted majority of the verdicts on each pair says; pairs that it leaves undecided are left out."""
    low, high = np.minimum(said.chosen, said.rejected), np.maximum(said.chosen, said.rejected)
    (low, high), which = np.unique(np.stack([low, high]), axis=1, return_inverse=True)
    which = which.reshape(-1)
    for_low = said.chosen == low[which]
    total = np.bincount(which, np.where(for_low, said.weight, -said.weight), len(low))
    a, n = np.bincount(which, for_low, len(low)), np.bincount(which, minlength=len(low))
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = (a * (a - 1) + (n - a) * (n - a - 1)) / (n * (n - 1.0))  # NaN for one rater
        first = np.bincount(which, said.shown == np.where(total > 0, low, high)[which], len(low)) / n
    keep = total != 0
    chosen, rejected = np.where(total > 0, low, high)[keep], np.where(total > 0, high, low)[keep]
    baselines = _baselines(first[keep], columns.tokens[chosen], columns.tokens[rejected])
    traits = _traits(project, columns, chosen, rejected)
    return _table("pair", columns, chosen, rejected, baselines, agreed[keep], traits)


def _traits(project: Project, columns: Columns, chosen: np.ndarray, rejected: np.ndarray) -> tuple[Trait, ...]:
    tokens = columns.tokens
    return (
        *_of_items(project, columns.item[chosen]),
        by_length("Mean length", (tokens[chosen] + tokens[rejected]) / 2, "tokens"),
        by_difference(tokens[chosen].astype(float), tokens[rejected].astype(float)),
        trait("Source of the chosen", [columns.source[n] for n in chosen]),
        trait("Source of the rejected", [columns.source[n] for n in rejected]),
        _marked(project, columns.response[rejected]),
    )


def _of_items(project: Project, items: np.ndarray) -> list[Trait]:
    rows = Item.objects.filter(project=project, split=Split.TEST).values_list("pk", "turns", "metadata")
    known = {pk: (metadata, *asked(turns, metadata)) for pk, turns, metadata in rows.iterator(2000)}
    about = [known[item] for item in items.tolist()]
    found = [trait("Category", [category_of(metadata) for metadata, *_ in about])]
    for key in _keys([metadata for metadata, *_ in known.values()]):
        found.append(trait(f"Metadata: {key}", [_word(metadata.get(key)) for metadata, *_ in about]))
    names = (("Language", 1), ("Turns", 2))
    return found + [trait(name, [one[place] for one in about]) for name, place in names]


def _keys(metadata: Sequence[Mapping]) -> list[str]:
    """Names of metadata with two to MOST_LABELS different short values."""
    values: dict[str, set] = {}
    for one in metadata:
        for key, value in one.items():
            if key not in (*CATEGORY, *LANGUAGE) and len(values.setdefault(key, set())) <= MOST_LABELS:
                values[key].add(_word(value))
    return sorted(key for key, said in values.items() if 2 <= len(said - {""}) <= MOST_LABELS)[:MOST_KEYS]


def _word(value: object) -> str:
    return str(value)[:60] if isinstance(value, str | int | bool) else ""


def _marked(project: Project, rejected: np.ndarray) -> Trait:
    """What people marked in the rejected response; one pair may have several."""
    labels = {category.key: category.label for category in project.schema.categories}
    spans = Span.objects.filter(judgement__in=project.judgements.of_people(), judgement__item__split=Split.TEST)
    marks: dict[int, set[str]] = {}
    for response, key in spans.values_list("response_id", "category").distinct():
        marks.setdefault(response, set()).add(labels.get(key, key))
    told = [(row, label) for row, pk in enumerate(rejected.tolist()) for label in sorted(marks.get(pk, ()))]
    return trait("Marked in the rejected", [label for _, label in told], [row for row, _ in told])
