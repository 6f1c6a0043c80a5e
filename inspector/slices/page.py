"""How good, where? A version's accuracy by slice, beside guesses, people's ceiling and another version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotate.agreement import Interval, ceiling
from inspector import columns as read
from inspector.figures import intervals_figure
from inspector.kept import kept
from inspector.slices.rows import Table, Trait, held_out
from inspector.slices.suite import credit_of, of_suite
from inspector.stats import slices
from worker.models import Score, Suite, Version
from worker.models.version import PREFERENCE
from worker.services import standing
from worker.services.summary import packed, unpacked

DRAWN, SURE = 10, 0.05
GUESSES = {
    "first": "always the one shown first",
    "longer": "always the longer",
    "majority": "always the side that won more often",
    "chance": "by lot",
}
HEADS = {"first": "shown first", "longer": "longer", "majority": "usual side", "chance": "by lot"}
UNITS = {"pair": "pairs", "verdict": "verdicts", "row": "rows"}


@dataclass(frozen=True)
class Look:
    """A version on held-out prompts, or on a suite."""

    version: Version
    suite: Suite | None = None

    @property
    def name(self) -> str:
        return f"slices {self.suite.pk if self.suite else 'held out'}"

    @cached_property
    def made_of(self) -> str:
        """ "" where the version has scored nothing of it."""
        return made_of(self.version, self.suite)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """Read once, and only when something is not kept yet."""
        if self.suite:
            found = of_suite(self.version, self.suite)
            return (found,) if found else ()
        return held_out(self.version) or ()


def made_of(version: Version, suite: Suite | None) -> str:
    """Which rows a version's numbers are made of."""
    if suite:
        return standing.made_of(version, suite)
    scored = read.scored_rows(version)
    return "" if scored.endswith("None") else f"{scored},{read.judged_rows(version.project)}"


def report(look: Look) -> dict:
    """All slices, surely weak ones first, then by the upper end of the interval; {} where nothing was scored."""
    return kept(look.version, look.name, look.made_of, lambda: _report(look)) if look.made_of else {}


def _report(look: Look) -> dict:
    if not look.tables or not len(look.tables[0].credit):
        return {}
    main = look.tables[0]
    whole = _numbers(main, np.ones(len(main.credit), dtype=bool))
    rows = [row for table in look.tables for row in _slices(table)]
    for row, q in zip(rows, slices.benjamini_hochberg([row["p"] for row in rows]), strict=True):
        row |= {"q": q, "weak": q is not None and q < SURE and row["accuracy"].value < row["else"]}
    rows.sort(key=lambda row: (not row["weak"], row["accuracy"].high, row["accuracy"].value))
    return {
        "unit": UNITS[main.unit],
        "whole": whole,
        "slices": rows,
        "alike": _alike_in(look),
        "tests": sum(row["p"] is not None for row in rows),
        "figure": _figure(rows),
        "sentence": sentence(whole, rows, UNITS[main.unit]),
    }


def _slices(table: Table) -> list[dict]:
    found = []
    for trait in table.traits:
        for code, label in enumerate(trait.labels if not _alike(trait, table) else ()):
            inside = trait.inside(code, len(table.credit))
            about = {"key": f"{trait.name}: {label}", "trait": trait.name, "label": label, "unit": UNITS[table.unit]}
            apart = {
                "p": slices.differs(table.credit, table.which, inside),
                "else": float(table.credit[~inside].mean()) if not inside.all() else 0.0,
            }
            found.append(about | _numbers(table, inside) | apart)
    return found


def _alike(trait: Trait, table: Table) -> bool:
    """Whether all rows have the one label, so that there is nothing to slice."""
    return len(trait.labels) == 1 and len(trait.rows) == len(table.credit)


def _alike_in(look: Look) -> list[str]:
    every = [(trait, table) for table in look.tables for trait in table.traits]
    return [f"{trait.name.lower()} ({trait.labels[0]})" for trait, table in every if _alike(trait, table)]


def _numbers(table: Table, inside: np.ndarray) -> dict:
    guesses = {name: slices.accuracy(credit[inside]) for name, credit in table.baselines.items()}
    agreed = slices.accuracy(table.agreed[inside], "nothing was judged twice")
    return {
        "accuracy": slices.accuracy(table.credit[inside]),
        "prompts": len(np.unique(table.which[inside])),
        "guesses": guesses,
        "agreement": agreed,
        "ceiling": ceiling(agreed),
    }


def _figure(rows: Sequence[Mapping]) -> dict:
    shown = rows[:DRAWN]
    sides = {
        "the version": [row["accuracy"] for row in shown],
        "the longer": [row["guesses"]["longer"] for row in shown],
    }
    labels = [row["label"] for row in shown]
    names = [row["key"] if labels.count(row["label"]) > 1 else row["label"] for row in shown]
    return intervals_figure(names, sides, "Accuracy")


def sentence(whole: Mapping, rows: Sequence[Mapping], unit: str) -> str:
    """What the page shows now."""
    all_of, best = whole["accuracy"], max(whole["guesses"].items(), key=lambda one: one[1].value)
    words = (
        f"Right on {percent(all_of)} of {all_of.n:,} {unit}; the best guess, {GUESSES[best[0]]}, on {percent(best[1])}."
    )
    weak = [row for row in rows if row["weak"]]
    if weak:
        worst, more = weak[0], len(weak) - 1
        and_more = f", and on {more} more slice{'s' if more > 1 else ''}" if more else ""
        return (
            f"{words} It is surely weaker on {worst['trait'].lower()} “{worst['label']}”: {percent(worst['accuracy'])} "
            f"of {worst['accuracy'].n:,}, against {100 * worst['else']:.0f} % elsewhere{and_more}."
        )
    tested = sum(row["p"] is not None for row in rows)
    return f"{words} None of {tested} slices is surely weaker than the rest."


def percent(one: Interval) -> str:
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f}–{100 * one.high:.0f})"


# ---- Beside another version


def against(look: Look, other: Version) -> dict:
    """{"whole": …, "slices": {key: …}, "sentence"}, each the difference, prompts won and lost, and p.

    {} where the other version has scored nothing of it.
    """
    theirs = made_of(other, look.suite)
    if not theirs or not look.made_of:
        return {}
    both = f"{look.made_of}|{theirs}"
    return kept(look.version, f"{look.name} against {other.pk}", both[-200:], lambda: _against(look, other))


def _against(look: Look, other: Version) -> dict:
    found, whole = {}, None
    for table in look.tables:
        theirs = _credit(other, look.suite, table)
        known = ~np.isnan(theirs)
        if not known.any():
            continue
        names, inside = _named(table)
        which, inside = np.unique(table.which[known], return_inverse=True)[1], [mine[known] for mine in inside]
        told = slices.against(table.credit[known], theirs[known], which, inside)
        whole = whole or told[0]
        found |= dict(zip(names[1:], told[1:], strict=True))
    if whole is None:
        return {}
    corrected = slices.benjamini_hochberg([one["p"] for one in found.values()])
    for one, q in zip(found.values(), corrected, strict=True):
        one["q"] = q
    return {"whole": whole, "slices": found, "sentence": beside(whole, found, look.version, other)}


def _named(table: Table) -> tuple[list[str], list[np.ndarray]]:
    """Keys and members of all slices, after the whole."""
    n, names, inside = len(table.credit), [""], [np.ones(len(table.credit), dtype=bool)]
    for trait in table.traits:
        names += [f"{trait.name}: {label}" for label in trait.labels]
        inside += [trait.inside(code, n) for code in range(len(trait.labels))]
    return names, inside


def _credit(other: Version, suite: Suite | None, table: Table) -> np.ndarray:
    """(n,) what the other version gets for the same rows; NaN where it has not scored them."""
    if suite:
        return credit_of(other, suite, table.keys)
    scores = Score.objects.filter(version=other, head=PREFERENCE, response__item__split="test")
    rows = np.array(list(scores.order_by("response_id").values_list("response_id", "value"))).reshape(-1, 2)
    ids, values = np.append(rows[:, 0], np.inf), np.append(rows[:, 1], np.nan)
    sides = []
    for wanted in (table.keys[:, 1], table.keys[:, 2]):
        at = np.searchsorted(ids, wanted)
        sides.append(np.where(ids[at] == wanted, values[at], np.nan))
    return (np.sign(sides[0] - sides[1]) + 1) / 2


def beside(whole: Mapping, found: Mapping[str, Mapping], version: Version, other: Version) -> str:
    """Which of the two is better, and where."""
    change, p = whole["difference"], whole["p"]
    words = (
        f"Against version {other.number}: {100 * change.value:+.1f} points{_between(change)}; of prompts that differ "
        f"{whole['won']:,} are won and {whole['lost']:,} lost, p = {p:.2g}."
    )
    sure = [key for key, one in found.items() if one["q"] is not None and one["q"] < SURE]
    better, worse = ([k for k in sure if sign * (found[k]["won"] - found[k]["lost"]) > 0] for sign in (1, -1))
    told = [f"{name} on {_some(keys)}" for name, keys in (("better", better), ("worse", worse)) if keys]
    return f"{words} Surely {' and '.join(told)}.".replace("-", "−") if told else words.replace("-", "−")


def _between(one: Interval) -> str:
    return f" ({100 * one.low:+.1f} to {100 * one.high:+.1f})" if one.low is not None else ""


def _some(keys: Sequence[str]) -> str:
    return f"“{keys[0]}”" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")


# ---- What failed


@dataclass(frozen=True)
class Failed:
    """Rows that are not right, the most confidently wrong first; `keys` as in Table."""

    keys: np.ndarray
    margin: np.ndarray


def failed(look: Look, key: str = "") -> Failed:
    """Of one slice, or of all pairs."""
    told = kept(look.version, f"{look.name} failed", look.made_of, lambda: _failed(look))
    part = next((one for one in told["parts"] if key in one["members"]), None) if key else told["parts"][0]
    if part is None:
        return Failed(np.zeros((0, 3), dtype=np.int64), np.zeros(0))
    keys, margin = unpacked(part["keys"], "<i8").reshape(-1, 3), unpacked(part["margin"], "<f4")
    rows = unpacked(part["members"][key], "<i4") if key else slice(None)
    return Failed(keys[rows], margin[rows])


def _failed(look: Look) -> dict:
    parts = []
    for table in look.tables:
        wrong = np.flatnonzero(table.credit < 1)
        wrong = wrong[np.argsort(table.margin[wrong], kind="stable")]
        names, inside = _named(table)
        members = {
            name: packed(np.flatnonzero(mine[wrong]), "<i4") for name, mine in zip(names[1:], inside[1:], strict=True)
        }
        part = {"keys": packed(table.keys[wrong], "<i8"), "margin": packed(table.margin[wrong], "<f4")}
        parts.append(part | {"members": members})
    return {"parts": parts}
