"""How much of what is gained from one set of answers to another is only length? By version, by people, by source."""

import numpy as np
from django.db.models import Exists, OuterRef

from annotate.agreement import Interval
from inspector import columns as read
from inspector.figures import gain_figure
from inspector.kept import kept
from inspector.length import Known, Look, between, signed
from inspector.stats import gain
from worker.models import Score, Version

EVERY, PEOPLE = "every", "people"
VERSIONS = 12


def sides(version: Version, sources: list[str]) -> dict[str, str]:
    """What can be compared, by name: all responses, what somebody chooses, what a source wrote."""
    scored = version.project.versions.filter(Exists(Score.objects.filter(version=OuterRef("pk"))))[:VERSIONS]
    chosen = {f"v{one.number}": f"what version {one.number} chooses" for one in (version, *scored)}
    written = {f"from {name}": f"written by {name}" for name in sources}
    return {EVERY: "a response at random", PEOPLE: "what people prefer"} | chosen | written


def report(look: Look, old: str, new: str) -> dict:
    """What the new answers gain over the old ones in this version's reward, and how much of that is length."""
    others = [_version(look.version, side) for side in (old, new) if _chooser(side)]
    made_of = ",".join([look.made_of, *(read.scored_rows(one) for one in others if one.pk != look.version.pk)])
    return kept(look.version, f"gain {look.score} {old} {new}"[:120], made_of, lambda: _gain(look, old, new))


def _chooser(side: str) -> bool:
    return side[:1] == "v" and side[1:].isdecimal()


def _version(version: Version, side: str) -> Version:
    return version.project.versions.get(number=int(side[1:]))


def _gain(look: Look, old: str, new: str) -> dict:
    found = look.known
    rows = [_side(look.version, found, side) for side in (old, new)]
    at, mark = np.concatenate(rows), np.repeat([False, True], [len(one) for one in rows])
    columns = found.columns
    which = np.unique(columns.which[at], return_inverse=True)[1] if len(at) else at
    told = gain.gain(columns.tokens[at], columns.values[at], mark, which) if len(at) else None
    if told is None:
        return {"gain": None, "figure": None, "sentence": "One of the two sides has no scored answer."}
    values = vars(told) | {"buckets": [vars(bucket) for bucket in told.buckets], "of": len(at)}
    return {"gain": values, "figure": gain_figure(values["buckets"]), "sentence": sentence(told)}


def _side(version: Version, found: Known, side: str) -> np.ndarray:
    """Rows of the columns."""
    columns = found.columns
    if side == EVERY:
        return np.arange(len(columns.response))
    if side == PEOPLE:
        return _best(columns.item, read.results(found.pairs, len(columns.response)))
    if side.startswith("from "):
        return np.flatnonzero(np.array(columns.source, dtype=object) == side.removeprefix("from "))
    other = _version(version, side)
    if other.pk == version.pk:
        return _best(columns.item, columns.values)
    theirs = read.read(other)
    at = theirs.place(columns.response)
    return _best(columns.item, np.where(at >= 0, theirs.values[at], np.nan))


def _best(items: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The row with the highest value of each item, the first of equals; items without a value have none."""
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.lexsort((known, -values[known], items[known]))]
    return np.sort(order[np.r_[True, items[order][1:] != items[order][:-1]]]) if len(order) else order


def sentence(told: gain.Gain) -> str:
    """What the two sides differ by."""
    old, new = told.tokens
    words = f"The reward goes from old to new by {signed(told.total.value)}{between(told.total)}, "
    words += f"the mean length from {old:.0f} to {new:.0f} tokens."
    share = told.length_share
    if share.value is None:
        return f"{words} How much of that is length cannot be said: {share.why}."
    return f"{words} {100 * share.value:.0f} % of the gain comes with length{_percent(share)}."


def _percent(share: Interval) -> str:
    return f" ({100 * share.low:.0f} to {100 * share.high:.0f} %)".replace("-", "−") if share.low is not None else ""
