"""A version scores responses as they are and with their surface changed, one Probe row for each."""

from collections.abc import Iterator

from django.conf import settings

from annotate.models import Response
from worker.jobs.dataset import example_of
from worker.jobs.scored import scored
from worker.models import Job, Probe, Version
from worker.models.probe import SAME
from worker.progress import Progress
from worker.rm.types import PREFERENCE, Example
from worker.swaps import SWAPS

BATCH = 2000


def run(job: Job, progress: Progress) -> dict:
    """params: version (id), prompts (how many). Probes that the version had are replaced."""
    version = Version.objects.get(pk=job.params["version"], project=job.project)
    responses = drawn(job)
    changed = [one for response in responses for one in _changed(response)]
    if not changed:
        raise ValueError("There is no response to probe: bring in items whose responses can be compared.")
    found = scored(version, [example for *_, example in changed], settings.CACHE_DIR, progress.report)
    values = found.heads[PREFERENCE].tolist()
    rows = list(_rows(version, changed, values))
    return progress.finish(lambda: _store(job, version, rows, len(responses)))


def drawn(job: Job) -> list[Response]:
    """All responses to so many items that have two or more, drawn by the hash of their prompts."""
    items = job.project.items.filter(responses__index=1).order_by("prompt_sha256", "pk")
    picked = list(items.values_list("pk", flat=True)[: job.params["prompts"]])
    return list(Response.objects.filter(item__in=picked).select_related("item").order_by("item_id", "index"))


def _changed(response: Response) -> Iterator[tuple[Response, str, Example]]:
    """The response as it is, then by each swap that changes it."""
    own = example_of(response)
    yield response, SAME, own
    for name, swap in SWAPS.items():
        if (text := swap.change(response.text)) != response.text and text.strip():
            yield response, name, Example(f"{own.key}:{name}", own.group, own.turns, text, own.context)


def _rows(version: Version, changed: list[tuple[Response, str, Example]], values: list[float]) -> Iterator[Probe]:
    before = 0.0
    for (response, name, _), value in zip(changed, values, strict=True):
        before = value if name == SAME else before
        if value == value and before == before:  # a transform may leave a score undefined
            yield Probe(version=version, response=response, swap=name, before=before, after=value)


def _store(job: Job, version: Version, rows: list[Probe], responses: int) -> dict:
    version.probes.all().delete()
    Probe.objects.bulk_create(rows, batch_size=BATCH)
    Job.objects.filter(pk=job.pk).update(version=version)
    return {"responses": responses, "probes": len(rows)}
