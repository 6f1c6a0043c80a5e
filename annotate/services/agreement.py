"""Working agreement out of the counts, question by question, when they have changed."""

import json
import time
from collections.abc import Mapping, Sequence

import numpy as np
from django.utils import timezone

from annotate.agreement import Interval, Marks, span_alpha, summary, undefined
from annotate.agreement.patterns import redraw
from annotate.models import Agreement, MarkTally, Pattern, Project, Side
from annotate.schema import Schema

Rows = Sequence[tuple[str, int]]  # pattern, units


def refresh(*, project: Project, seconds: float) -> int:
    """Work out what is stale until the time is over, one question at least; returns how many are left.

    Whoever counts meanwhile makes it stale again: it is said to be fresh before the patterns are read.
    """
    end, schema = time.monotonic() + seconds, project.schema
    stale = list(project.agreements.filter(stale=True).order_by("question", "side"))
    for done, row in enumerate(stale):
        if done and time.monotonic() > end:
            return len(stale) - done
        Agreement.objects.filter(pk=row.pk).update(stale=False)
        found = figures(project, row.side, row.question, schema)
        plain = {name: interval.as_dict() for name, interval in found.items()}
        Agreement.objects.filter(pk=row.pk).update(figures=plain, made_at=timezone.now())
    return 0


def figures(project: Project, side: str, question: str, schema: Schema) -> dict[str, Interval]:
    """percent, fleiss and alpha among one side; percent and kappa across; alpha alone of spans."""
    if question.startswith("spans:"):
        category = question.removeprefix("spans:")
        sums = MarkTally.objects.filter(project=project, category=category).order_by("bucket")
        return {"alpha": span_alpha([Marks(*found) for found in sums.values_list("sums", flat=True)])}
    rows = Pattern.objects.filter(project=project, side=side, question=question, units__gt=0).order_by("digest")
    pairs = list(rows.values_list("pattern", "units"))
    return between_sides(pairs) if side == Side.ACROSS else among(pairs, level_of(question, schema))


def level_of(question: str, schema: Schema) -> str:
    """How far apart two answers are: any two, by rank, or by their difference."""
    kind, _, key = question.partition(":")
    if kind == "criterion":
        criterion = next((one for one in schema.criteria if one.key == key), None)
        return {"yes_no": "nominal", "number": "interval"}.get(criterion.kind if criterion else "", "ordinal")
    return "ordinal" if kind in ("strength", "safety", "steps") else "nominal"


def among(rows: Rows, level: str) -> dict[str, Interval]:
    """Agreement on one side, from [[value, raters], …] and how many units show it."""
    parsed = [(dict(json.loads(text)), units) for text, units in rows]
    values = sorted({value for counts, _ in parsed for value in counts})
    counted = {tuple(counts.get(value, 0) for value in values): units for counts, units in parsed}
    return summary(counted, level, values if level == "interval" else None)


def between_sides(rows: Rows) -> dict[str, Interval]:
    """How often a person and a machine say the same of one unit, and κ: the share beyond what both habits explain."""
    parsed = [(*map(dict, json.loads(text)), units) for text, units in rows]
    if not parsed:
        return {name: undefined("nothing was judged by both") for name in ("percent", "kappa")}
    values = sorted({value for people, machines, _ in parsed for value in (*people, *machines)}, key=str)
    people, machines = (np.array([_shares(row[n], values) for row in parsed]) for n in (0, 1))
    alike = (people * machines).sum(1)
    units = np.array([row[2] for row in parsed])
    return redraw(units, {"percent": lambda w: w @ alike / w.sum(1), "kappa": _kappa(people, machines, alike)}, 1000, 0)


def _shares(counts: Mapping, values: Sequence) -> list[float]:
    return [counts.get(value, 0) / sum(counts.values()) for value in values]


def _kappa(people: np.ndarray, machines: np.ndarray, alike: np.ndarray):
    def kappa(weights: np.ndarray) -> np.ndarray:
        n = weights.sum(1)
        chance = ((weights @ people) * (weights @ machines)).sum(1) / n**2
        return (weights @ alike / n - chance) / np.where(chance < 1, 1 - chance, np.nan)

    return kappa
