"""Why responses got their scores: Attribution rows, exact where a head has one, integrated gradients where asked."""

from dataclasses import asdict

from annotate.models import Response
from worker.jobs.dataset import example_of
from worker.jobs.loading import model_of
from worker.models import Attribution, Job, Version
from worker.progress import Progress
from worker.rm.attribution import attribute, methods
from worker.rm.heads import RewardModel
from worker.rm.types import PREFERENCE, TokenAttribution


def run(job: Job, progress: Progress) -> dict:
    """params: version (id), responses (ids), methods (exact, ig), heads (for ig; preference without)."""
    version = Version.objects.get(pk=job.params["version"], project=job.project)
    found = Response.objects.filter(item__project=job.project, pk__in=job.params["responses"]).select_related("item")
    model = model_of(version)
    wanted = _wanted(model, job.params)
    todo = [(response, head, method) for response in found for head, method in wanted]
    rows = []
    for done, (response, head, method) in enumerate(todo):
        progress.report(f"explaining by {method}", done, len(todo))
        rows.append(_row(version, response, attribute(model, example_of(response), head, method=method)))
    return progress.finish(lambda: _store(job, version, rows))


def _wanted(model: RewardModel, params: dict) -> list[tuple[str, str]]:
    """(head, method): the exact decomposition is cheap and done for all heads that have one, ig for those asked for.

    Where the preference has no exact split, integrated gradients stand in its place.
    """
    heads = {"exact": model.heads, "ig": params.get("heads") or [PREFERENCE]}
    asked = [(head, method) for method in params["methods"] for head in heads[method]]
    found = [(head, method) for head, method in asked if method in methods(model, head)]
    if (PREFERENCE, "exact") in set(asked) - set(found):
        found.append((PREFERENCE, "ig"))
    return list(dict.fromkeys(found))


def _row(version: Version, response: Response, told: TokenAttribution) -> Attribution:
    return Attribution(
        version=version,
        response=response,
        head=told.head,
        method=told.method,
        tokens=[asdict(token) for token in told.tokens],
        features=dict(told.features),
        baseline=told.baseline,
        residual=told.residual,
        score=told.score,
    )


def _store(job: Job, version: Version, rows: list[Attribution]) -> dict:
    """A second explanation of the same thing replaces the first."""
    Attribution.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["version", "response", "head", "method"],
        update_fields=["tokens", "features", "baseline", "residual", "score"],
    )
    Job.objects.filter(pk=job.pk).update(version=version)
    return {"attributions": len(rows)}
