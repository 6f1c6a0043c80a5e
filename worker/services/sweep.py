"""Sweeps: one recipe trained with several values on one snapshot, a job for each combination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from django.core.exceptions import ValidationError
from django.db import transaction
from pydantic import ValidationError as PydanticError

from annotate.models import Project, User
from worker.models import Job, Sweep
from worker.models.job import JobState
from worker.recipes import DEFAULTS, FIELDS, changed, complaints, flat, idle, recipe_of, stored
from worker.rm.recipe import Recipe
from worker.services.forecast import forecast
from worker.services.job import cancel
from worker.services.snapshot import freeze
from worker.services.training import enough, train_on

MOST = 64  # runs of one sweep
Grid = Mapping[str, Sequence[object]]


def points(recipe: Recipe, grid: Grid) -> list[Recipe]:
    """A recipe for each combination of the values, the last field changing fastest.

    ValidationError, by field: a name that no value has, a value twice or wrong, one that would change nothing.
    """
    if not grid:
        raise ValidationError("Choose at least one value to try several of.")
    problems = {name: text for name, values in grid.items() if (text := _problem(name, values))}
    if problems:
        raise ValidationError(problems)
    runs = 1
    for values in grid.values():
        runs *= len(values)
    if runs > MOST:
        raise ValidationError(f"That makes {runs:,} runs; a sweep has at most {MOST}.")
    found = [_point(recipe, dict(zip(grid, values, strict=True))) for values in product(*grid.values())]
    if len(set(found)) < len(found):  # 1e-5 and 0.00001
        raise ValidationError("Two of the values mean the same.")
    return found


def _problem(name: str, values: Sequence[object]) -> str | None:
    if name not in FIELDS or isinstance(flat(Recipe())[name], tuple):
        return f"There is no single value {name!r} to try several of."
    if not values:
        return "Name at least one value."
    return "A value stands there twice." if len(set(values)) < len(values) else None


def _point(recipe: Recipe, values: Mapping[str, object]) -> Recipe:
    try:
        point = recipe_of(changed(recipe) | values)
    except PydanticError as error:
        told = complaints(error)
        raise ValidationError({name: [text] for name, text in told.items()} if "" not in told else told[""]) from None
    if unused := [name for name in idle(point) if name in values]:
        raise ValidationError({name: [f"It would change nothing with trainer {point.name}."] for name in unused})
    return point


def start_sweep(
    *,
    project: Project,
    recipe: Recipe,
    grid: Grid,
    backbone: str,
    queue: str = "cpu",
    actor: User | None = None,
) -> Sweep:
    """Freeze the judgements once and launch a train job for each point; ValidationError leaves nothing behind."""
    recipes = points(recipe, grid)
    found = enough(project)
    about = {"backbone": backbone, "queue": queue}
    tokens = forecast(project=project, recipe=recipe, found=found, **about).tokens
    with transaction.atomic():
        snapshot = freeze(project=project, actor=actor, surveyed=found)
        sweep = Sweep.objects.create(
            project=project,
            snapshot=snapshot,
            backbone=backbone,
            recipe=stored(recipe),
            grid={name: _typed(recipes, name) for name in grid},
            created_by=actor,
        )
        for one in recipes:
            passes = 1 if one.name == "heads" else one.tuning.epochs
            train_on(snapshot, recipe=one, actor=actor, sweep=sweep, tokens=tokens * passes, **about)
    return sweep


def _typed(recipes: Sequence[Recipe], name: str) -> list:
    """The values of one field in their order, as the recipes hold them."""
    return list(dict.fromkeys(flat(one)[name] for one in recipes))


def cancel_sweep(*, sweep: Sweep, actor: User | None = None) -> int:
    """Cancel what waits or runs of it; how many jobs that were."""
    jobs = list(sweep.jobs.unfinished())
    for job in jobs:
        cancel(job=job, actor=actor)
    return len(jobs)


@dataclass(frozen=True)
class Row:
    """A point of the comparison table."""

    job: Job
    values: list[object]  # in the order of the grid
    metrics: dict  # of its version; {} before there is one
    seconds: float | None
    best: bool

    @property
    def accuracy(self) -> dict:
        return self.metrics.get("pair_accuracy") or {}


def table(sweep: Sweep) -> list[Row]:
    """One row for each point, the newest job of it; best accuracy first, then those without one, as launched."""
    newest: dict[tuple, Job] = {}
    for job in sweep.jobs.select_related("version").order_by("pk"):
        newest[tuple(_kept(job.params["recipe"], name) for name in sweep.grid)] = job
    best = best_of({job.pk: job.version.metrics.get("pair_accuracy") or {} for job in newest.values() if job.version})
    rows = [_row(job, list(values), job.pk == best) for values, job in newest.items()]
    return sorted(rows, key=lambda row: -(row.accuracy.get("value") or 0))


def _kept(recipe: Mapping, name: str) -> object:
    """One value as the job keeps it, also where recipes are written differently today."""
    part, _, key = name.rpartition(".")
    return (recipe.get(part, {}) if part else recipe).get(key, DEFAULTS.get(name))


def _row(job: Job, values: list[object], best: bool) -> Row:
    ended = job.state == JobState.DONE and job.started_at and job.finished_at
    seconds = (job.finished_at - job.started_at).total_seconds() if ended else None
    return Row(job, values, job.version.metrics if job.version else {}, seconds, best)


def best_of(intervals: Mapping[int, Mapping]) -> int | None:
    """The key whose whole interval lies above all others'; None where two overlap, or there are fewer than two."""
    known = {key: one for key, one in intervals.items() if one.get("value") is not None}
    if len(known) < 2:
        return None
    first = max(known, key=lambda key: known[key]["value"])
    others = (one["high"] for key, one in known.items() if key != first)
    return first if known[first]["low"] > max(others) else None
