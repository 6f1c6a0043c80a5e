"""Why responses got their scores: Attribution rows, exact for every head, integrated gradients where asked."""

from dataclasses import asdict

from annotate.models import Response
from worker.jobs.dataset import example_of
from worker.jobs.loading import model_of
from worker.models import Attribution, Job, Version
from worker.progress import Progress
from worker.rm.attribution import attribute
from worker.rm.types import PREFERENCE, TokenAttribution


def run(job: Job, progress: Progress) -> dict:
    """params: version (id), responses (ids), methods (exact, ig), heads (for ig; preference without)."""
    version = Version.objects.get(pk=job.params["version"], project=job.project)
    found = Response.objects.filter(item__project=job.project, pk__in=job.params["responses"]).select_related("item")
    model, wanted = model_of(version), _wanted(version, job.params)
    todo = [(response, head, method) for response in found for head, method in wanted]
    rows = []
    for done, (response, head, method) in enumerate(todo):
        progress.report(f"explaining by {method}", done, len(todo))
        rows.append(_row(version, response, attribute(model, example_of(response), head, method=method)))
    return progress.finish(lambda: _store(job, version, rows))


def _wanted(version: Version, params: dict) -> list[tuple[str, str]]:
    """(head, method): the exact decomposition is cheap and done for all heads, ig for those asked for."""
    heads = {"exact": version.heads, "ig": params.get("heads") or [PREFERENCE]}
    return [(head, method) for method in params["methods"] for head in heads[method]]


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
