"""Counts what the responses of a project look like. Counts that are there stay: a response never changes."""

from django.db.models import QuerySet

from annotate.models import Response
from worker.jobs.files import batches
from worker.models import Job, Surface
from worker.progress import Progress
from worker.surface import counts

SLICE = 2000


def run(job: Job, progress: Progress) -> dict:
    """Stored slice by slice, so that nothing is counted twice after a stop."""
    left, done = todo(job), 0
    total = left.count()
    for part in batches(left.values_list("pk", "text").iterator(SLICE), SLICE):
        progress.report("counting lists, bold, hedges …", done, total)
        rows = [Surface(response_id=pk, **counts(text)) for pk, text in part]
        Surface.objects.bulk_create(rows, ignore_conflicts=True)
        done += len(rows)
    return {"responses": done}


def todo(job: Job) -> QuerySet[Response]:
    return Response.objects.filter(item__project=job.project, surface=None).order_by("pk")
