"""A version gives every response of the project a score per head, and every pool candidate its preference."""

from collections.abc import Iterable

from django.conf import settings

from annotate.models import Response
from worker.jobs.dataset import candidate_example, example_of
from worker.jobs.loading import model_of
from worker.models import Candidate, CandidateScore, Job, Score, Version
from worker.progress import Progress
from worker.rm.heads import RewardModel
from worker.rm.scoring import score
from worker.rm.types import PREFERENCE, Example, Scored

BATCH = 2000
Part = tuple[list, Scored | None]


def run(job: Job, progress: Progress) -> dict:
    """params: version (id). Scores that exist are replaced."""
    version = Version.objects.get(pk=job.params["version"], project=job.project)
    model = model_of(version)
    responses = list(Response.objects.filter(item__project=job.project).select_related("item").order_by("pk"))
    candidates = list(Candidate.objects.filter(pool__project=job.project).order_by("pk"))
    scored = _score(model, [example_of(r) for r in responses], progress)
    pooled = _score(model, [candidate_example(c) for c in candidates], progress)
    progress.report("storing the scores", 0, 1)
    return progress.finish(lambda: _store(job, version, (responses, scored), (candidates, pooled)))


def _score(model: RewardModel, examples: list[Example], progress: Progress) -> Scored | None:
    return score(model, examples, settings.CACHE_DIR, progress.report) if examples else None


def _store(job: Job, version: Version, project: Part, pools: Part) -> dict:
    (responses, scored), (candidates, pooled) = project, pools
    version.scores.all().delete()
    version.candidate_scores.all().delete()
    if scored:
        Score.objects.bulk_create(_scores(version, responses, scored), batch_size=BATCH)
    if pooled:
        CandidateScore.objects.bulk_create(_candidate_scores(version, candidates, pooled), batch_size=BATCH)
    Job.objects.filter(pk=job.pk).update(version=version)
    truncated = sum(int(part.truncated.sum()) for part in (scored, pooled) if part)
    return {"responses": len(responses), "candidates": len(candidates), "truncated": truncated}


def _scores(version: Version, responses: list[Response], scored: Scored) -> Iterable[Score]:
    for head, values in scored.heads.items():
        for response, value, tokens in zip(responses, values, scored.tokens, strict=True):
            yield Score(version=version, response=response, head=head, value=float(value), tokens=int(tokens))


def _candidate_scores(version: Version, candidates: list[Candidate], pooled: Scored) -> Iterable[CandidateScore]:
    for candidate, value in zip(candidates, pooled.heads[PREFERENCE], strict=True):
        yield CandidateScore(version=version, candidate=candidate, head=PREFERENCE, value=float(value))
