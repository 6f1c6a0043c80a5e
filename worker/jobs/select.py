"""Open tasks → what a verdict on each is worth → a batch in front, part of it always by lot."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from django.conf import settings

from annotate.models import Project, Response
from annotate.models.item import Split
from worker.jobs.dataset import dataset_of, example_of
from worker.jobs.loading import model_of
from worker.models import Job, Version
from worker.models.selection import Strategy
from worker.progress import Progress
from worker.rm import acquisition
from worker.rm import backbone as backbones
from worker.rm.embed import embed
from worker.rm.recipe import Recipe
from worker.rm.scoring import score
from worker.rm.types import PREFERENCE, Example, Scored
from worker.services.selection import Pick, eligible, put_in_front

LEARNT = 3000  # training pairs that the posterior is made from


@dataclass(frozen=True)
class Pairs:
    """Every pair of every task: positions of its two responses in `examples`, and of its task."""

    examples: list[Example]
    first: np.ndarray
    second: np.ndarray
    task: np.ndarray


def run(job: Job, progress: Progress) -> dict:
    """params: strategy, random_share, batch, version (id, or None where all goes by lot).

    Held-out prompts take their part of the places by lot alone: a verdict on one teaches nothing, and must be a fair
    sample of all.
    """
    params, rng = job.params, np.random.default_rng(job.pk)
    version = Version.objects.get(pk=params["version"], project=job.project) if params["version"] else None
    rows = list(eligible(job.project).order_by("pk").values_list("pk", "item__split"))
    tasks, held = ([pk for pk, split in rows if (split == Split.TEST) is out] for out in (False, True))
    places, by_lot = _places(params["batch"], len(tasks), len(held))
    if version is None or not tasks:
        picks = _picks(tasks, acquisition.pick(np.arange(len(tasks)), places, 1.0, rng))
    else:
        order, values = _worth(version, tasks, params | {"batch": places}, progress)
        picks = _picks(tasks, acquisition.pick(order, places, params["random_share"], rng), values, params["strategy"])
    picks += _picks(held, acquisition.pick(np.arange(len(held)), by_lot, 1.0, rng))
    progress.report("putting tasks in front", 0, 1)
    return progress.finish(lambda: _store(job, version, len(rows), picks))


def _places(batch: int, tasks: int, held: int) -> tuple[int, int]:
    """How many of the batch go to tasks that teach and how many to held-out ones, as they are among all."""
    whole = min(batch, tasks + held)
    of_held = max(whole - tasks, round(whole * held / (tasks + held))) if whole else 0
    return whole - of_held, of_held


def _picks(
    tasks: Sequence[int], found: acquisition.Picked, values: np.ndarray | None = None, strategy: str = ""
) -> list[Pick]:
    rows = zip(found.chosen.tolist(), found.by_chance.tolist(), found.probability.tolist(), strict=True)
    return [
        Pick(tasks[n], str(Strategy.RANDOM), None, p) if lot else Pick(tasks[n], strategy, float(values[n]), p)
        for n, lot, p in rows
    ]


def _store(job: Job, version: Version | None, waiting: int, picks: list[Pick]) -> dict:
    done = put_in_front(project=job.project, picks=picks, version=version)
    by_lot = sum(pick.value is None for pick in picks)
    worth = {str(pick.task): pick.value for pick in picks if pick.value is not None}
    return {
        "waiting": waiting,
        "in_front": done,
        "by_lot": by_lot,
        "version": version and version.number,
        "worth": worth,
    }


# ---- What a verdict is worth


def _worth(version: Version, tasks: Sequence[int], params: dict, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """(tasks,) order, best first, and (tasks,) worth: of a task with several pairs, that of its best."""
    pairs = _pairs(version.project, tasks)
    if not len(pairs.task):
        raise ValueError("No open task compares two responses: order at random instead.")
    model = model_of(version)
    scored = score(model, pairs.examples, settings.CACHE_DIR, progress.report)
    if params["strategy"] == Strategy.INFORMATION:
        gain_order, values = _information(version, pairs, scored, params["batch"], progress)
        return _first_of_each(pairs.task[gain_order], len(tasks)), _best(pairs.task, values, len(tasks))
    members = [values for name, values in scored.heads.items() if name.startswith("member:")]
    if params["strategy"] == Strategy.DISAGREEMENT:
        values = acquisition.disagreement(_margins(pairs, np.stack(members), version) if members else np.zeros((0, 0)))
    else:
        values = acquisition.margin(_margins(pairs, scored.heads[PREFERENCE], version))
    best = _best(pairs.task, values, len(tasks))
    return np.argsort(-best, kind="stable"), best


def _pairs(project: Project, tasks: Sequence[int]) -> Pairs:
    shown: dict[int, list[int]] = {pk: [] for pk in tasks}
    link = Response.tasks.through.objects.filter(task__in=eligible(project).values("pk")).order_by("response")
    for task, response in link.values_list("task", "response"):
        if task in shown:  # else it has become open since
            shown[task].append(response)
    wanted = {response for ids in shown.values() for response in ids}
    rows = Response.objects.filter(item__project=project).select_related("item").order_by("pk")
    responses = [response for response in rows.iterator(chunk_size=2000) if response.pk in wanted]
    place = {response.pk: n for n, response in enumerate(responses)}
    found = [(place[a], place[b], n) for n, pk in enumerate(tasks) for a, b in combinations(shown[pk], 2)]
    first, second, task = np.array(found, dtype=int).reshape(-1, 3).T
    return Pairs([example_of(response) for response in responses], first, second, task)


def _margins(pairs: Pairs, scores: np.ndarray, version: Version) -> np.ndarray:
    """(…, pairs) in units of the temperature."""
    return (scores[..., pairs.first] - scores[..., pairs.second]).astype(float) / version.temperature


def _best(task: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    best = np.full(n, -np.inf)
    np.maximum.at(best, task, values)
    return np.where(np.isfinite(best), best, values.min())  # a task without a pair comes last


def _first_of_each(tasks: np.ndarray, n: int) -> np.ndarray:
    """Tasks in the order in which they come first; those that never come, last."""
    return np.array(list(dict.fromkeys([*tasks.tolist(), *range(n)])), dtype=int)


def _information(
    version: Version, pairs: Pairs, scored: Scored, places: int, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """(pairs,) order and gain, about a linear head on the leading directions of the backbone's embeddings.

    The weights' prior lets a margin vary as much as the version's do; the version's training pairs are seen already.
    """
    backbone = backbones.load(version.backbone, Recipe.model_validate(version.recipe).encoding)
    data = dataset_of(version.snapshot)
    train = data.train[:: max(1, len(data.train) // LEARNT)]
    everything = [*pairs.examples, *data.examples]
    pooled = embed(backbone, everything, cache_dir=settings.CACHE_DIR, report=progress.report).pooled.astype(float)
    offset, learnt = len(pairs.examples), [(c.first, c.second) for c in train]
    a, b = np.array(learnt, dtype=int).reshape(-1, 2).T
    z = np.concatenate([pooled[pairs.first] - pooled[pairs.second], pooled[offset + a] - pooled[offset + b]])
    z = acquisition.directions(z)
    known = score(model_of(version), data.examples, settings.CACHE_DIR, progress.report).heads[PREFERENCE].astype(float)
    seen = (known[a] - known[b]) / version.temperature
    margins = _margins(pairs, scored.heads[PREFERENCE], version)
    precision = 1 / max(float(np.concatenate([margins, seen]).var()), 0.1)
    covariance = acquisition.posterior_covariance(seen, z[len(margins) :], precision)
    return acquisition.greedy(margins, z[: len(margins)], covariance, places)
