"""Working agreement out of the counts, question by question, when they have changed."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.utils import timezone

from annotate.agreement import Interval, Marks, Tasks, icc, span_alpha, summary, undefined
from annotate.agreement.patterns import Columns, Statistic, redraw
from annotate.models import Agreement, MarkTally, Pattern, Project, Side, TaskTally
from annotate.schema import Schema

Rows = Sequence[tuple[str, int]]  # pattern, units
ALONE = Tasks(())  # each unit a task of its own
SAMPLE = 1000  # tasks that are redrawn for an interval; all of them where there are not more


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
    """percent, fleiss and alpha among one side, and icc and icc_mean of ratings; percent and kappa across; alpha of
    spans."""
    if question.startswith("spans:"):
        category = question.removeprefix("spans:")
        sums = MarkTally.objects.filter(project=project, category=category).order_by("bucket")
        return {"alpha": span_alpha([Marks(*found) for found in sums.values_list("sums", flat=True)])}
    rows = Pattern.objects.filter(project=project, side=side, question=question, units__gt=0).order_by("digest")
    pairs, tasks = list(rows.values_list("pattern", "units")), some_tasks(project, side, question)
    if side == Side.ACROSS:
        return between_sides(pairs, tasks)
    return among(pairs, level_of(question, schema), tasks) | (rated(pairs) if is_rating(question, schema) else {})


def some_tasks(project: Project, side: str, question: str) -> Tasks:
    """{pattern: units} of the tasks, or of about SAMPLE of them: whole buckets, so that they are read by index.

    Somebody may count meanwhile: then the question is stale again, and what is known of one but not the other goes.
    """
    tallies = TaskTally.objects.filter(project=project)
    every = tallies.count()
    buckets = max(1, TaskTally.BUCKETS * SAMPLE // max(every, SAMPLE))
    lines = list(tallies.filter(bucket__lt=buckets).order_by("task_id").values_list("patterns", flat=True))
    mine = [{text: units for *about, text, units in found if about == [side, question]} for found in lines]
    return Tasks(mine, len(lines) / every if lines else 1.0)


def level_of(question: str, schema: Schema) -> str:
    """How far apart two answers are: any two, by rank, or by their difference."""
    kind = question.partition(":")[0]
    if kind == "criterion":
        return {"yes_no": "nominal", "number": "interval"}.get(_kind(question, schema), "ordinal")
    return {"rubric": "interval"}.get(kind, "ordinal" if kind in ("strength", "safety", "steps") else "nominal")


def is_rating(question: str, schema: Schema) -> bool:
    """Is it answered by levels or numbers, so that intraclass correlation is what others publish of it?"""
    return question == "rubric" or _kind(question, schema) in ("likert", "number")


def _kind(question: str, schema: Schema) -> str:
    return next((one.kind for one in schema.criteria if question == f"criterion:{one.key}"), "")


def among(rows: Rows, level: str, tasks: Tasks = ALONE) -> dict[str, Interval]:
    """Agreement on one side, from [[value, raters], …] and how many units show it."""
    values, places = _places(rows)
    held = [_summed(units.items(), places) for units in tasks.held]
    numbers = values if level == "interval" else None
    return summary(_summed(rows, places), level, numbers, tasks=Tasks(held, tasks.share))


def rated(rows: Rows) -> dict[str, Interval]:
    """Intraclass correlation of one rating, and of the mean of the ratings that a unit got."""
    values, places = _places(rows)
    counted = _summed(rows, places)
    table, units = np.array(list(counted)).reshape(len(counted), len(values)), list(counted.values())
    return {"icc": icc(table, values, units), "icc_mean": icc(table, values, units, average=True)}


def _places(rows: Rows) -> tuple[list, dict[str, tuple[int, ...]]]:
    """The distinct values in order, and of each stored pattern how many raters gave each."""
    parsed = {text: dict(json.loads(text)) for text, _ in rows}
    values = sorted({value for counts in parsed.values() for value in counts})
    return values, {text: tuple(counts.get(value, 0) for value in values) for text, counts in parsed.items()}


def _summed(rows: Iterable[tuple[str, int]], places: Mapping[str, tuple[int, ...]]) -> Counter[tuple[int, ...]]:
    """{pattern: units}; a level may be stored as 4 and as 4.0."""
    found: Counter[tuple[int, ...]] = Counter()
    for text, units in rows:
        if text in places:
            found[places[text]] += units
    return found


def between_sides(rows: Rows, tasks: Tasks = ALONE) -> dict[str, Interval]:
    """How often a person and a machine say the same of one unit, and κ: the share beyond what both habits explain."""
    parsed = [(*map(dict, json.loads(text)), units) for text, units in rows]
    if not parsed:
        return {name: undefined("nothing was judged by both") for name in ("percent", "kappa")}
    values = sorted({value for people, machines, _ in parsed for value in (*people, *machines)}, key=str)
    people, machines = (np.array([_shares(row[n], values) for row in parsed]) for n in (0, 1))
    alike = (people * machines).sum(1)
    units = np.array([row[2] for row in parsed])

    def measures(of: Columns) -> dict[str, Statistic]:
        return {"percent": lambda w: w @ alike[of] / w.sum(1), "kappa": _kappa(people[of], machines[of], alike[of])}

    return redraw(units, measures, 1000, 0, tasks.together([text for text, _ in rows]))


def _shares(counts: Mapping, values: Sequence) -> list[float]:
    return [counts.get(value, 0) / sum(counts.values()) for value in values]


def _kappa(people: np.ndarray, machines: np.ndarray, alike: np.ndarray):
    def kappa(weights: np.ndarray) -> np.ndarray:
        n = weights.sum(1)
        chance = ((weights @ people) * (weights @ machines)).sum(1) / n**2
        return (weights @ alike / n - chance) / np.where(chance < 1, 1 - chance, np.nan)

    return kappa
