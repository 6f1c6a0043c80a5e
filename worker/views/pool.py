"""Pools: what there is, which versions have scored them, and the button that scores one."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import project_for
from worker.models import PolicyRun, Pool, Version
from worker.models.job import JobKind
from worker.pool_form import LARGEST, PoolForm
from worker.services.job import launch
from worker.services.pool import scored_by

PAGE = 25


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    page = Paginator(project.pools.order_by("name", "pk"), PAGE).get_page(request.GET.get("page"))
    rows, scored = list(page), scored_by(pools=list(page))
    for pool in rows:
        pool.scored = scored[pool.pk]
    context = {"project": project, "page": page, "rows": rows, "versions": project.versions.all()[:50]}
    return render(request, "worker/pools.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest, slug: str) -> HttpResponse:
    """A pool, a table or rollouts from a file; the page of drift shows it at once."""
    project = project_for(request.user, slug, "manage")
    form = PoolForm(request.POST, request.FILES) if request.method == "POST" else PoolForm()
    if form.is_bound and form.is_valid() and (made := form.save(project, request.user)):
        source = f"run-{made.pk}" if isinstance(made, PolicyRun) else made.pk
        return redirect(f"{reverse('inspector:drift_of_pools', args=[slug])}?pool={source}")
    context = {"project": project, "form": form, "limit": LARGEST}
    return render(request, "worker/pool_import.html", context, status=422 if form.errors else 200)


@require_POST
def score(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """version=NUMBER: score this pool alone."""
    project = project_for(request.user, slug, "manage")
    pool = get_object_or_404(Pool, project=project, pk=pk)
    number = request.POST.get("version", "")
    number = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0
    version = get_object_or_404(Version, project=project, number=number)
    params = {"version": version.pk, "pool": pool.pk}
    job = project.jobs.unfinished().filter(kind=JobKind.SCORE, params=params).first()
    job = job or launch(project=project, kind=JobKind.SCORE, params=params, actor=request.user)
    return redirect("worker:job", slug, job.pk)
