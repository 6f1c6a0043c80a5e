"""What changed? Two versions on the same responses → statistics → plain values, and one honest sentence each."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from django.db.models import Exists, OuterRef

from inspector import columns as read
from inspector.changed import words
from inspector.changed.figures import scores_figure
from inspector.columns import Columns, Verdicts
from inspector.kept import kept
from inspector.stats import changed, noise
from worker.compare import paired
from worker.models import Score, Version
from worker.services.changes import data_changes, recipe_changes

DRAWN = 3000  # points of the chart
ORDERED = 2000  # responses that Kendall's pooled τ is of
LISTED = 200  # flipped pairs of each kind
VERSIONS = 50
KINDS = {
    "all": "all of them",
    "better": "now as people say",
    "worse": "no longer as people say",
    "unjudged": "nobody decided",
}


@dataclass(frozen=True)
class Known:
    """Responses that both versions scored; `columns` holds the new scores."""

    columns: Columns
    old: np.ndarray  # (n,) scores of the other version
    pairs: Verdicts  # one row per pair that people decided
    first: np.ndarray  # rows of the pairs within items
    second: np.ndarray
    whole: bool  # whether these are all


@dataclass(frozen=True)
class Look:
    """A version held against another; what is read for it is read once, and only when something is not kept."""

    version: Version
    against: Version

    @cached_property
    def made_of(self) -> str:
        rows = [read.scored_rows(one) for one in (self.version, self.against)]
        return ",".join([*rows, read.judged_rows(self.version.project)])

    @cached_property
    def known(self) -> Known | None:
        """None where no response was scored by both."""
        columns, other = read.read(self.version), read.read(self.against)
        if columns is None or other is None:
            return None
        at = other.place(columns.response)
        columns = columns.picked(at >= 0)
        if not len(columns.response):
            return None
        pairs = read.decided(read.together(read.said(self.version.project, columns)))
        return Known(columns, other.values[at[at >= 0]], pairs, *noise.within(columns.item))


def others(version: Version) -> list[Version]:
    """Versions that it can be held against, newest first; `scored` says whether that one has scores."""
    scored = Exists(Score.objects.filter(version=OuterRef("pk")))
    rows = version.project.versions.exclude(pk=version.pk).annotate(scored=scored).select_related("snapshot")
    return list(rows[:VERSIONS])


def usual(version: Version, known: list[Version]) -> Version | None:
    """Its parent, else the number before, else the newest other; None where it is the only one."""
    parent = next((one for one in known if one.pk == version.parent_id), None)
    return parent or next((one for one in known if one.number < version.number), next(iter(known), None))


def report(version: Version, against: Version | None = None) -> dict | None:
    """Everything that the page says; None of an only version. {"scores": None} where they scored nothing in common."""
    against = against or usual(version, others(version))
    if against is None:
        return None
    look = Look(version, against)
    between = kept(version, f"between {against.number}", look.made_of, lambda: _between(look))
    return between | {"scores": kept(version, f"changed {against.number}", look.made_of, lambda: _scores(look)) or None}


def _between(look: Look) -> dict:
    data, recipe = data_changes(look.against, look.version), recipe_changes(look.against, look.version)
    return {"data": data, "recipe": recipe, "data_words": words.data(data), "recipe_words": words.recipe(recipe)}


def _scores(look: Look) -> dict:
    known = look.known
    if known is None:
        return {}
    columns, first, second = known.columns, known.first, known.second
    new, old = _margins(look, known, first, second)
    values = {
        "responses": len(columns.response),
        "prompts": int(columns.which.max()) + 1,
        "pairs": len(first),
        "whole": known.whole,
        "same": changed.same_winner(new, old, columns.which[first]),
        "matrices": _matrices(look, known),
        "paired": _paired(look, known),
        "order": dict(vars(_order(known))),
        "scale": dict(vars(changed.scale(known.old, columns.values, columns.which))),
        "figure": _figure(known),
    }
    values["flips"] = _flips(known, new, old, _said(known, first, second))
    return values | {name: say(values) for name, say in words.SCORES.items()}


def _margins(look: Look, known: Known, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the new version and of the old one, in log-odds."""
    values, old = known.columns.values, known.old
    new_margins = (values[first] - values[second]) / look.version.temperature
    return new_margins, (old[first] - old[second]) / look.against.temperature


def _credits(look: Look, known: Known, pairs: Verdicts) -> tuple[np.ndarray, np.ndarray]:
    """How right each is of decided pairs: 1, 0, or ½ for a tie of scores."""
    margins = _margins(look, known, pairs.first, pairs.second)
    return tuple(0.5 + np.sign(one * (pairs.p - 0.5)) / 2 for one in margins)


def _held_out(known: Known) -> Verdicts:
    return known.pairs.picked(known.columns.held_out[known.pairs.first])


def _matrices(look: Look, known: Known) -> list[dict]:
    """Who agrees with people: on held-out pairs, and on all."""
    sides = {"held out": _held_out(known), "all judged": known.pairs}
    return [{"name": name} | dict(vars(changed.matrix(*_credits(look, known, pairs)))) for name, pairs in sides.items()]


def _paired(look: Look, known: Known) -> dict:
    pairs = _held_out(known)
    found = paired(*_credits(look, known, pairs), known.columns.which[pairs.first])
    return dict(vars(found))


def _order(known: Known) -> changed.Order:
    rows, columns = len(known.old), known.columns
    some = np.unique(np.linspace(0, rows - 1, min(rows, ORDERED)).round().astype(int))
    return changed.order(known.old, columns.values, columns.which, (known.first, known.second), some)


def _figure(known: Known) -> dict:
    rows, columns = len(known.old), known.columns
    drawn = np.unique(np.linspace(0, rows - 1, min(rows, DRAWN)).round().astype(int))
    rounded = (np.round(one[drawn], 4).tolist() for one in (known.old, columns.values))
    return scores_figure(*rounded, columns.item[drawn].tolist())


# ---- Flipped pairs


def _said(known: Known, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(pairs,) what people decided of each: 1 the first, 0 the second, ½ nothing."""
    n, pairs = len(known.old), known.pairs
    key = pairs.first.astype(np.int64) * n + pairs.second  # rows stand by id, so the first is the smaller
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second)
    order = np.argsort(key)
    at = np.minimum(np.searchsorted(key[order], low * n + high), max(0, len(key) - 1))
    if not len(key):
        return np.full(len(first), 0.5)
    hit = key[order][at] == low * n + high
    p = np.where(pairs.p[order][at] > 0.5, 1.0, 0.0)
    return np.where(hit, np.where(first == low, p, 1 - p), 0.5)


def _flips(known: Known, new: np.ndarray, old: np.ndarray, said: np.ndarray) -> dict:
    """Pairs of which the other one wins now: how many of each of KINDS, and LISTED of each, largest change first."""
    turned = np.flatnonzero(np.sign(new) * np.sign(old) < 0)
    agrees = np.sign(new) * np.sign(said - 0.5)
    counts, rows = {"all": len(turned)}, []
    for kind, sign in (("better", 1), ("worse", -1), ("unjudged", 0)):
        own = turned[agrees[turned] == sign]
        counts[kind] = len(own)
        most = own[np.argsort(-np.abs(new - old)[own], kind="stable")[:LISTED]]
        rows += [_flip(known, one, kind, new, old) for one in most.tolist()]
    rows.sort(key=lambda row: -abs(row["new"] - row["old"]))
    return {"counts": counts, "rows": rows}


def _flip(known: Known, pair: int, kind: str, new: np.ndarray, old: np.ndarray) -> dict:
    """The response that wins now first; margins as that one's."""
    first, second = int(known.first[pair]), int(known.second[pair])
    sign = 1 if new[pair] > 0 else -1
    now, before = (first, second) if sign > 0 else (second, first)
    columns = known.columns
    return {
        "kind": kind,
        "item": int(columns.item[now]),
        "now": int(columns.response[now]),
        "before": int(columns.response[before]),
        "new": round(sign * float(new[pair]), 4),
        "old": round(sign * float(old[pair]), 4),
    }
