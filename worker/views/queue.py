"""The queue: the project's jobs with their places, and the workers that could take them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import project_for
from worker.machine import code_version
from worker.payload import pace
from worker.services.queue import places, unfinished, unserved, workers

CODE = code_version()  # as this process was started, whatever was installed since


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    jobs, known, place = unfinished(project), workers(), places()
    context = {
        "project": project,
        "rows": [(job, pace(job), place.get(job.pk)) for job in jobs],
        "workers": known,
        "unserved": unserved(jobs, known),
        "code": CODE,
    }
    return render(request, "worker/queue.html#now" if request.htmx else "worker/queue.html", context)
