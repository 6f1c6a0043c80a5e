"""What else than what is said goes with the reward? Surface features beside people, and probes that change them."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from django.db.models import Count, Max

from annotate.agreement import Interval
from annotate.models import Project, Response
from inspector import columns as read
from inspector.columns import Columns
from inspector.figures import intervals_figure
from inspector.kept import kept
from inspector.length import Known, Look, between, signed
from inspector.stats.correlation import Both, correlate, holm
from inspector.stats.flips import Flips, flips, probed_of
from worker.models import Surface, Version
from worker.models.probe import SAME
from worker.services.probe import LABELS

FEATURES = {
    "lists": "list points",
    "headings": "headings",
    "bold": "bold passages",
    "code": "code",
    "hedges": "hedges",
    "opener": "opens with praise or assent",
    "emoji": "emoji",
}
SOURCES = 6
SURE = 0.05


def counted(project: Project) -> int | None:
    """The newest response, if it was counted: the job goes by ids, so all before it were. None if it was not."""
    newest = Response.objects.filter(item__project=project).order_by("-pk").values_list("pk", flat=True).first()
    return Surface.objects.filter(pk=newest).values_list("pk", flat=True).first()


def report(look: Look, newest: int) -> dict:
    """Each feature's correlation with the score and with people's verdicts, of a version that has scores."""
    return kept(look.version, "surface", f"{look.made_of},{newest}", lambda: _report(look))


def _report(look: Look) -> dict:
    known = look.known
    columns, at, features = _features(look.version.project, known.columns)
    names = [name for name, column in features.items() if len(column) and np.ptp(column)]
    absent = [name for name in features if name not in names]
    model = _sides(columns.values[at], columns, at, {name: features[name] for name in names} | _place(columns, at))
    people = _people(known, at, {name: features[name] for name in names})
    labels = [*names, "position"]
    rows = [_row(label, features.get(label), model, people) for label in labels]
    _correct(rows)
    return {
        "rows": rows,
        "absent": absent,
        "responses": len(at),
        "uncounted": len(columns.response) - len(at),
        "judged": people["n"],
        "tests": sum(cell["p"] is not None for row in rows for cell in row["cells"]),
        "sentence": sentence(rows),
        "figure": _figure(rows),
    }


def _figure(rows: list[dict]) -> dict:
    shown = [row for row in rows if row["model_equal"]]
    sides = {side: [row[f"{side}_equal"]["r"] for row in shown] for side in ("model", "people")}
    return intervals_figure([row["name"] for row in shown], sides, "r at equal length")


def _features(project: Project, columns: Columns) -> tuple[Columns, np.ndarray, dict[str, np.ndarray]]:
    """Rows of the columns whose surface was counted, and each feature there."""
    rows = Surface.objects.filter(response__item__project=project).order_by("pk").values_list("pk", *FEATURES)
    table = np.array(list(rows.iterator(5000)), dtype=np.int64).reshape(-1, 1 + len(FEATURES))
    place = columns.place(table[:, 0])
    table, at = table[place >= 0], place[place >= 0]
    found = {"tokens": columns.tokens[at].astype(float)}
    found |= {label: table[:, 1 + n].astype(float) for n, label in enumerate(FEATURES.values())}
    sources = [columns.source[row] for row in at]
    common = [name for name, _ in Counter(filter(None, sources)).most_common(SOURCES)]
    if len(common) > 1:
        written = np.array(sources, dtype=object)
        found |= {f"written by {name}": (written == name).astype(float) for name in common}
    return columns, at, found


def _place(columns: Columns, at: np.ndarray) -> dict[str, np.ndarray]:
    return {"position": columns.index[at].astype(float)}


def _sides(y: np.ndarray, columns: Columns, at: np.ndarray, features: Mapping[str, np.ndarray]) -> dict:
    """Correlations pooled and within prompts, the latter at equal length as well."""
    which = np.unique(columns.which[at], return_inverse=True)[1]
    tokens, names = columns.tokens[at], ("feature", "score")
    within = correlate(features, y, which, control=tokens, within=True, names=names)
    return {"n": len(at), "pooled": correlate(features, y, which, names=names), "within": within}


def _people(known: Known, at: np.ndarray, features: Mapping[str, np.ndarray]) -> dict:
    """The same of a response's mean result over decided pairs; their position is how often it was shown first."""
    columns = known.columns
    result = read.results(known.pairs, len(columns.response))[at]
    judged = ~np.isnan(result)
    own = {name: column[judged] for name, column in features.items()}
    decided = read.decided(known.every)
    first = np.bincount(decided.first, minlength=len(columns.response))
    shown = first + np.bincount(decided.second, minlength=len(columns.response))
    own["position"] = (first / np.maximum(shown, 1))[at][judged]
    return _sides(result[judged], columns, at[judged], own)


def _row(name: str, column: np.ndarray | None, model: dict, people: dict) -> dict:
    """Four cells: model and people, within prompts as they are and at equal length; and the model pooled."""
    cells = []
    for side in (model, people):
        both: Both = side["within"][name]
        parts = (both.plain, both.partial) if name != "tokens" else (both.plain,)
        cells += [{"r": part.r, "p": part.p} for part in parts]
    share = float((column > 0).mean()) if column is not None and name != "tokens" else None
    return {"name": name, "share": share, "pooled": model["pooled"][name].plain.r, "cells": cells}


def _correct(rows: list[dict]) -> None:
    """Holm's method over all cells at once: `sure` where the corrected p is below 5 %."""
    cells = [cell for row in rows for cell in row["cells"]]
    for cell, p in zip(cells, holm([cell["p"] for cell in cells]), strict=True):
        cell |= {"p": p, "sure": p is not None and p < SURE}
    for row in rows:
        wide = row["name"] != "tokens"
        row["model"], row["people"] = row["cells"][0], row["cells"][2 if wide else 1]
        row["model_equal"], row["people_equal"] = (row["cells"][1], row["cells"][3]) if wide else (None, None)


def sentence(rows: list[dict]) -> str:
    """What goes with the score, and with people's verdicts, after the correction."""
    features = [row for row in rows if row["model_equal"]]
    ours, theirs = (_listed(features, side) for side in ("model_equal", "people_equal"))
    words = f"At equal length the score goes with {ours}" if ours else "At equal length the score goes with no feature"
    words += f"; people’s verdicts go with {theirs}." if theirs else "; people’s verdicts go with none of them."
    only = [row["name"] for row in features if _apart(row)]
    return f"{words} The model differs from people in {', '.join(only)}." if only else words


def _listed(rows: list[dict], side: str) -> str:
    sure = [row for row in rows if row[side]["sure"]]
    sure.sort(key=lambda row: -abs(row[side]["r"].value))
    return ", ".join(f"{row['name']} ({signed(row[side]['r'].value)})" for row in sure[:5])


def _apart(row: dict) -> bool:
    """Whether the model's effect is sure and its interval shares nothing with people's; places are not comparable."""
    ours, theirs = row["model_equal"]["r"], row["people_equal"]["r"]
    if row["name"] == "position" or not row["model_equal"]["sure"] or theirs.low is None:
        return False
    return ours.low > theirs.high or ours.high < theirs.low


# ---- Probes

LISTED = 8


def probes(version: Version) -> dict | None:
    """What each swap did to scores and winners; None before anything was probed."""
    found = version.probes.aggregate(n=Count("pk"), last=Max("pk"))
    if not found["n"]:
        return None
    return kept(version, "probes", f"{found['n']}:{found['last']}", lambda: _probes(version))


def _probes(version: Version) -> dict:
    rows = version.probes.order_by("response_id").values_list("swap", "response_id", "response__item_id", "after")
    scores, after = {}, {name: {} for name in LABELS}
    for swap, response, item, value in rows:
        if swap == SAME:
            scores[response] = (item, value / version.temperature)
        else:
            after[swap][response] = value / version.temperature
    told = {name: flips(probed_of(scores, after[name])) for name in LABELS}
    return {
        "rows": [{"name": name, "label": LABELS[name], "n": len(after[name])} | vars(told[name]) for name in LABELS],
        "responses": len(scores),
        "items": len({item for item, _ in scores.values()}),
        "turned": _turned(scores, after)[:LISTED],
        "sentence": probe_sentence(told),
        "figure": intervals_figure(
            [LABELS[name] for name in told], {"change": [one.change for one in told.values()]}, "Change, log-odds"
        ),
    }


def _turned(scores: Mapping[int, tuple[int, float]], after: Mapping[str, Mapping[int, float]]) -> list[dict]:
    """Pairs whose winner a swap changed, the largest change first."""
    items: dict[int, list[int]] = {}
    for response, (item, _) in scores.items():
        items.setdefault(item, []).append(response)
    found = []
    for name, changed in after.items():
        for response, value in changed.items():
            item, before = scores[response]
            for other in items[item]:
                apart, now = before - scores[other][1], value - scores[other][1]
                if apart * now < 0:
                    pair = {"item": item, "response": response, "other": other}
                    found.append(pair | {"label": LABELS[name], "before": apart, "after": now})
    return sorted(found, key=lambda one: (-abs(one["after"] - one["before"]), one["response"], one["other"]))


def probe_sentence(told: Mapping[str, Flips]) -> str:
    """The swap that turns most pairs, and whether it pays."""
    known = {name: one for name, one in told.items() if one.flipped.value is not None}
    if not known:
        return "No swap changed a pair that had a winner."
    name = max(known, key=lambda name: known[name].flipped.value)
    most = known[name]
    words = (
        f"Of {len(known)} changes, “{LABELS[name]}” turns most pairs: {_percent(most.flipped)} of {most.flipped.n:,}."
    )
    added = [f"“{LABELS[key]}” {_worth(known[key].change)}" for key in ("praise", "padding") if key in known]
    return f"{words} Of what adds nothing, {' and '.join(added)}, in log-odds." if added else words


def _percent(one: Interval) -> str:
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f}–{100 * one.high:.0f})"


def _worth(one: Interval) -> str:
    return f"is worth {signed(one.value)}{between(one)}"
