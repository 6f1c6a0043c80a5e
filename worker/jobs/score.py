"""A version scores the project's responses and its pools' candidates, or one pool alone.

Texts pass by in slices; what is kept until the end are ids and numbers, so that all of it is stored in one transaction.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from django.conf import settings
from django.db.models import QuerySet

from annotate.models import Response
from worker.jobs.dataset import candidate_example, example_of
from worker.jobs.files import batches
from worker.jobs.scored import WHY, scored
from worker.models import Candidate, CandidateScore, Job, Pool, Score, Version
from worker.progress import Progress
from worker.rm.transforms import RAW
from worker.rm.types import PREFERENCE, Example, Scored
from worker.services.columns import keep_columns

SLICE = 4096
BATCH = 2000


@dataclass
class Kept:
    """Scores of rows by slice."""

    slices: list[tuple[list[int], Scored]] = field(default_factory=list)

    def count(self) -> int:
        return sum(len(ids) for ids, _ in self.slices)

    def truncated(self) -> int:
        return sum(int(found.truncated.sum()) for _, found in self.slices)

    def undefined(self) -> int:
        return sum(int(np.isnan(found.heads[PREFERENCE]).sum()) for _, found in self.slices)

    def rows(self, heads: Iterable[str] | None = None) -> Iterator[tuple[int, str, float, int]]:
        """(id, head, value, tokens) of every value that is defined."""
        for ids, found in self.slices:
            for head in heads or found.heads:
                for pk, value, tokens in zip(ids, found.heads.get(head, ()), found.tokens, strict=False):
                    if not np.isnan(value):
                        yield pk, head, float(value), int(tokens)


def run(job: Job, progress: Progress) -> dict:
    """params: version (id), and pool (id) to score its candidates alone. Scores that exist are replaced."""
    version = Version.objects.get(pk=job.params["version"], project=job.project)
    candidates = Candidate.objects.filter(pool__project=job.project).order_by("pk")
    if pool := job.params.get("pool"):
        candidates = candidates.filter(pool=pool)
    responses = Response.objects.filter(item__project=job.project).select_related("item").order_by("pk")
    own = Kept() if pool else _score(version, responses, example_of, progress)
    pooled = _score(version, candidates, candidate_example, progress)
    progress.report("storing the scores", 0, 1)
    return progress.finish(lambda: _store(job, version, own, pooled, candidates if pool else None))


def _score(version: Version, rows: QuerySet, example: Callable[..., Example], progress: Progress) -> Kept:
    total, kept = rows.count(), Kept()
    for part in _slices(rows):
        done, examples = kept.count(), [example(row) for row in part]

        def report(stage: str, n: int, _: int, metrics: dict, done: int = done) -> None:
            progress.report(stage, done + n, total, metrics)

        kept.slices.append(([row.pk for row in part], scored(version, examples, settings.CACHE_DIR, report)))
    return kept


def _slices(rows: QuerySet) -> Iterator[list]:
    """By id, each a query of its own: on SQLite a query left open would keep the job from telling its progress."""
    last = 0
    while part := list(rows.filter(pk__gt=last)[:SLICE]):
        yield part
        last = part[-1].pk


def _store(job: Job, version: Version, own: Kept, pooled: Kept, only: QuerySet | None) -> dict:
    old = version.candidate_scores.all()
    (old if only is None else old.filter(candidate__in=only)).delete()
    if only is None:
        version.scores.all().delete()
        _create(
            Score, (Score(version=version, response_id=pk, head=h, value=v, tokens=t) for pk, h, v, t in own.rows())
        )
    _keep_columns(version, pooled)
    rows = pooled.rows((PREFERENCE, RAW))
    _create(CandidateScore, (CandidateScore(version=version, candidate_id=pk, head=h, value=v) for pk, h, v, _ in rows))
    Job.objects.filter(pk=job.pk).update(version=version)
    counts = {"responses": own.count(), "candidates": pooled.count(), "truncated": own.truncated() + pooled.truncated()}
    undefined = own.undefined() + pooled.undefined()
    return counts | ({"undefined": undefined, "why": WHY} if undefined else {})


def _keep_columns(version: Version, pooled: Kept) -> None:
    """Every head of every pool that was scored: what statistics of a whole pool read, ensembles' members among it."""
    if not pooled.slices:
        return
    ids = [pk for part, _ in pooled.slices for pk in part]
    pool_of = dict(Candidate.objects.filter(pool__project=version.project).values_list("pk", "pool"))
    of = np.array([pool_of[pk] for pk in ids])
    heads = {
        head: np.concatenate([found.heads[head] for _, found in pooled.slices]) for head in pooled.slices[0][1].heads
    }
    for pool in Pool.objects.filter(pk__in=np.unique(of).tolist()):
        mine = of == pool.pk
        keep_columns(pool=pool, version=version, columns={head: values[mine] for head, values in heads.items()})


def _create(model: type, rows: Iterable) -> None:
    for part in batches(rows, BATCH):
        model.objects.bulk_create(part)
