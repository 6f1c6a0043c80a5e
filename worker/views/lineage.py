"""Lineage: which judgements made which version, and back; taking judgements back, and rebuilding."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Judgement, Project
from annotate.services.withdraw import WITHDRAWN, raters, said_by_rater, withdrawals
from worker.models import SnapshotRow, Version
from worker.services import lineage

PAGE = 50


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    """Every version with what it came from, every rater, every withdrawal."""
    project = project_for(request.user, slug, "research")
    rows = project.versions.select_related("snapshot", "parent", "trained_by__sweep").prefetch_related("rounds")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"project": project, "page": page, "raters": raters(project), "withdrawals": withdrawals(project)}
    return render(request, "worker/lineage.html", context)


@require_safe
def of_version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """?who= shows the judgements of one rater."""
    project = project_for(request.user, slug, "research")
    rows = Version.objects.select_related("snapshot", "parent", "trained_by__sweep")
    version, who = get_object_or_404(rows, project=project, number=number), request.GET.get("who", "")
    version.project = project  # with the reader's rights
    used = SnapshotRow.objects.filter(snapshot=version.snapshot_id).order_by("judgement")
    if who:
        used = used.filter(judgement__in=_said(project, who).values("pk"))
    used = used.select_related("judgement__rater", "judgement__item")
    context = {
        "project": project,
        "version": version,
        "who": who,
        "page": Paginator(used, PAGE).get_page(request.GET.get("page")),
        "raters": lineage.raters_of(version),
        "change": lineage.change_of(version),
        "children": version.children.order_by("number"),
        "rounds": version.rounds.select_related("against"),
        "averages": lineage.averages_of(version),
        "sources": list(lineage.made_from_weights(version)),
    }
    return render(request, "worker/version_lineage.html", context)


@require_safe
def of_judgement(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    one = get_object_or_404(project.judgements.select_related("rater", "item"), pk=pk)
    return _used_in(request, project, lineage.revisions(one), judgement=one)


@require_safe
def of_rater(request: HttpRequest, slug: str) -> HttpResponse:
    """?who=user:ID or name:NAME"""
    project = project_for(request.user, slug, "research")
    who = request.GET.get("who", "")
    first = _said(project, who).select_related("rater").first()
    if first is None:
        raise Http404("No such rater here.")
    name = first.rater.username if first.rater else first.rater_name
    return _used_in(request, project, _said(project, who), who=who, name=name)


def _used_in(request: HttpRequest, project: Project, rows: QuerySet, **about: object) -> HttpResponse:
    current = rows.filter(superseded=False)
    context = {
        "project": project,
        "versions": lineage.versions_of(project, rows),
        "total": current.count(),
        "withdrawn": current.exclude(withdrawn_at=None).count(),
    }
    return render(request, "worker/lineage_of.html", context | about)


def _said(project: Project, who: str) -> QuerySet:
    try:
        return said_by_rater(project, who)
    except ValidationError:
        raise Http404("No such rater.") from None


@require_POST
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """`who`, a rater, or `judgement`, an id; and `why`."""
    project = project_for(request.user, slug, "manage")
    pk, why = request.POST.get("judgement", ""), request.POST.get("why", "")
    back = reverse("worker:lineage", args=[slug])
    try:
        if pk:
            one = get_object_or_404(Judgement, project=project, pk=pk if pk.isdecimal() and len(pk) < 19 else 0)
            back = reverse("worker:judgement_lineage", args=[slug, one.pk])
            event = lineage.withdraw_judgement(judgement=one, why=why, actor=request.user)
        else:
            who = request.POST.get("who", "")
            event = lineage.withdraw_rater(project=project, who=who, why=why, actor=request.user)
        messages.success(request, f"Withdrawn: {event.data['judgements']}. It can be undone on the page of lineage.")
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect(back)


@require_POST
def restore(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    event = get_object_or_404(project.events.filter(kind=WITHDRAWN), pk=pk)
    try:
        count = lineage.restore(event=event, actor=request.user)
        messages.success(request, f"{count} judgement{'s' if count != 1 else ''} count again.")
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("worker:lineage", slug)


@require_POST
def rebuild(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    version = get_object_or_404(project.versions.select_related("snapshot"), number=number)
    try:
        one = lineage.rebuild(version=version, actor=request.user)
        again = " Make its transforms again when the new version is there." if version.transforms else ""
        messages.success(request, f"Round {one.number} rebuilds version {number} from what is left.{again}")
        return redirect("worker:rounds", slug)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("worker:version", slug, number)
