"""All versions on all suites, best first, each beside the promoted one on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval, undefined
from annotate.models import Project
from inspector import kept
from inspector.figures import intervals_figure
from inspector.stats import slices
from inspector.stats.correlation import codes
from worker.models import Suite, Version
from worker.services import standing
from worker.services.standing import Standing

DRAWN, WIDEST = 14, 30  # versions of the chart, categories of the table
NOT_YET = undefined("not measured")
ALL = "accuracy"


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    own: bool = True  # counts by a benchmark's own rule


def report(project: Project, suites: Sequence[Suite], suite: Suite | None, sort: str) -> dict:
    """Rows of versions and columns of suites, or of one suite its parts; {} where nothing was measured."""
    shown = [suite] if suite else list(suites)
    board, promoted = standing.standings(project, shown), project.versions.promoted()
    beside = {one.pk: against(one, board[one.pk], promoted) for one in shown}
    rows = _of_suite(board[suite.pk], beside[suite.pk]) if suite else _of_all(suites, board, beside)
    if not rows:
        return {}
    columns = _parts(rows) if suite else [Column(str(one.pk), one.name) for one in suites]
    ordered = _sorted(rows, sort if sort in _keys(columns, suite) else _usual(columns, suite))
    return {
        "columns": [vars(column) for column in columns],
        "rows": ordered,
        "promoted": promoted.number if promoted else None,
        "left_out": max(0, len(_names(rows)) - WIDEST) if suite else 0,
        "figure": _figure(ordered, suite) if suite else None,
        "sentence": _sentence(rows, suite) if suite else _sentence_of_all(rows, suites),
    }


def _keys(columns: Sequence[Column], suite: Suite | None) -> list[str]:
    return ["version", *([ALL] if suite else []), *(column.key for column in columns)]


def _usual(columns: Sequence[Column], suite: Suite | None) -> str:
    return ALL if suite else columns[0].key


def _of_suite(found: Sequence[Standing], beside: Mapping[int, dict]) -> list[dict]:
    rows = []
    for one in found:
        cells = {ALL: one.accuracy} | one.sections | {f"category {name}": v for name, v in one.categories.items()}
        rows.append(_row(one.version) | {"cells": cells, "against": {ALL: beside.get(one.version.pk)}})
    return rows


def _of_all(suites: Sequence[Suite], board: Mapping[int, list[Standing]], beside: Mapping[int, dict]) -> list[dict]:
    rows: dict[int, dict] = {}
    for suite in suites:
        for one in board[suite.pk]:
            row = rows.setdefault(one.version.pk, _row(one.version) | {"cells": {}, "against": {}})
            row["cells"][str(suite.pk)] = one.accuracy
            row["against"][str(suite.pk)] = beside[suite.pk].get(one.version.pk)
    return list(rows.values())


def _row(version: Version) -> dict:
    return {"number": version.number, "state": version.state}


def _sorted(rows: list[dict], sort: str) -> list[dict]:
    """Best first; versions without the number last, the newest first among equals."""
    if sort == "version":
        return sorted(rows, key=lambda row: -row["number"])
    value = lambda row: row["cells"].get(sort, NOT_YET).value  # noqa: E731
    return sorted(rows, key=lambda row: (value(row) is None, -(value(row) or 0), -row["number"]))


def _names(rows: Sequence[Mapping]) -> list[str]:
    return sorted({key for row in rows for key in row["cells"] if key.startswith("category ")})


def _parts(rows: Sequence[Mapping]) -> list[Column]:
    """RewardBench's scores and sections, where they apply, then the categories."""
    keys = dict.fromkeys(key for row in rows for key in row["cells"])
    own = [key for key in keys if key != ALL and not key.startswith("category ")]
    own.sort(key=lambda key: not key.startswith("RewardBench"))
    names = _names(rows)
    parts = [Column(key, key) for key in own]
    if len(names) > 1 or own:
        parts += [Column(key, key.removeprefix("category ") or "(none)", False) for key in names[:WIDEST]]
    return parts


def cells(found: Mapping) -> list[dict]:
    """The rows for a template: for each column the number, and how it stands beside the promoted version's."""
    keys = [column["key"] for column in found["columns"]]
    keys = [ALL, *keys] if any(ALL in row["cells"] for row in found["rows"]) else keys
    return [
        row | {"shown": [{"number": row["cells"].get(k, NOT_YET), "against": row["against"].get(k)} for k in keys]}
        for row in found["rows"]
    ]


# ---- Beside the promoted version


def against(suite: Suite, found: Sequence[Standing], promoted: Version | None) -> dict[int, dict]:
    """Version id → difference of accuracy, prompts won and lost, p of McNemar's test; kept with each version."""
    board = {one.version.pk: one for one in found}
    if promoted is None or promoted.pk not in board:
        return {}
    old = board.pop(promoted.pk)
    name = f"suite {suite.pk} against {promoted.pk}"
    both = {pk: f"{one.made_of}|{old.made_of}" for pk, one in board.items()}
    told = kept.known(name, both)
    missing = [one.version for pk, one in board.items() if pk not in told]
    return told | (kept.keep_each(name, both, _against(suite, missing, promoted)) if missing else {})


def _against(suite: Suite, versions: Sequence[Version], promoted: Version) -> dict[int, dict]:
    """One redraw of prompts for all of them."""
    which = codes(standing.sheet(suite).prompt)
    credits = standing.credits(suite, [promoted.pk, *(version.pk for version in versions)])
    gains = [credits[version.pk] - credits[promoted.pk] for version in versions]
    told = slices.gains([(gain, ~np.isnan(gain)) for gain in gains], which)
    return {version.pk: one for version, one in zip(versions, told, strict=True)}


# ---- Words


def _figure(rows: Sequence[Mapping], suite: Suite) -> dict:
    shown = rows[:DRAWN]
    sides = {"accuracy": [row["cells"][ALL] for row in shown]}
    return intervals_figure([f"version {row['number']}" for row in shown], sides, f"Accuracy on {suite.name}")


def _sentence(rows: Sequence[Mapping], suite: Suite) -> str:
    """Which version is best on the suite, and how surely it is better than the promoted one."""
    best = _sorted(list(rows), ALL)[0]
    words = f"On {suite.name} version {best['number']} is best: right on {_percent(best['cells'][ALL])} of "
    words += f"{best['cells'][ALL].n:,} rows."
    if best["state"] == "promoted":
        return f"{words} It is the promoted one."
    told = best["against"][ALL]
    if not told or told["difference"].value is None:
        return f"{words} No promoted version was measured beside it."
    sure = "surely" if told["p"] < 0.05 else "not surely"
    change = f"{100 * told['difference'].value:+.1f}".replace("-", "−")
    return f"{words} That is {sure} more than the promoted version: {change} points, p = {told['p']:.2g} (McNemar)."


def _sentence_of_all(rows: Sequence[Mapping], suites: Sequence[Suite]) -> str:
    told = []
    for suite in suites:
        best = _sorted(list(rows), str(suite.pk))[0]
        found = best["cells"].get(str(suite.pk))
        told.append(
            f"{suite.name}: version {best['number']}, {_percent(found)}" if found else f"{suite.name}: nothing measured"
        )
    return f"Best on {'; '.join(told)}."


def _percent(one: Interval) -> str:
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f}–{100 * one.high:.0f})"
