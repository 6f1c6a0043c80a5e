"""A file of answers up, the same lines with their scores down."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import project_for
from worker.models import Job
from worker.models.job import JobKind, JobState
from worker.score_forms import ScoreFileForm
from worker.services.scored_file import KEPT_DAYS, in_store, results, start_scoring
from worker.views.stored import stored


@require_http_methods(["GET", "HEAD", "POST"])
def score_file(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ScoreFileForm(*sent, project=project)
    if form.is_bound and form.is_valid():
        job = start_scoring(actor=request.user, **form.cleaned_data)
        return redirect("worker:job", slug, job.pk)
    rows = project.jobs.filter(kind=JobKind.FILE).select_related("created_by", "version")[:10]
    context = {"project": project, "form": form, "limit": settings.UPLOAD_MAX_BYTES, "days": KEPT_DAYS}
    there = results()
    context["recent"] = [(job, job.result.get("result") in there) for job in rows]
    return render(request, "worker/score_file.html", context, status=422 if form.errors else 200)


@require_safe
def download(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The lines as they were scored; 404 once they were swept."""
    project = project_for(request.user, slug, "manage")
    job = get_object_or_404(Job, project=project, pk=pk, kind=JobKind.FILE, state=JobState.DONE)
    try:
        return stored(in_store(job.result["result"]), f"{project.slug}-scored-{job.pk}.jsonl", "application/jsonl")
    except FileNotFoundError:
        raise Http404(f"The result was deleted after {KEPT_DAYS} days: score the file again.") from None
