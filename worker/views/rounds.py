"""Rounds: what the next one waits for, the policy, and how the ones before ended."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Project
from worker.models.round import RoundState
from worker.round_form import RoundForm
from worker.services import rounds
from worker.services.waiting import waiting

PAGE = 20


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    template = "worker/rounds.html#now" if request.htmx else "worker/rounds.html"
    return _page(request, project, _form(project), template=template)


def _form(project: Project, sent: object = None) -> RoundForm:
    return RoundForm(sent, instance=rounds.policy_of(project), project=project)


def _page(
    request: HttpRequest, project: Project, form: RoundForm, template: str = "worker/rounds.html"
) -> HttpResponse:
    policy = rounds.policy_of(project)
    now, rows = waiting(policy), project.rounds.select_related("version", "against", "job")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    live = any(one.state in (RoundState.TRAINING, RoundState.MEASURING) for one in page)
    context = {"project": project, "policy": policy, "form": form, "now": now, "page": page, "live": live}
    context["suites"] = project.suites.exists()
    return render(request, template, context, status=422 if form.errors else 200)


@require_POST
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    form = _form(project, request.POST)
    if not form.is_valid():
        return _page(request, project, form)
    rounds.set_policy(project=project, actor=request.user, **form.said())
    messages.success(request, "Saved.")
    return redirect("worker:rounds", slug)


@require_POST
def run(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    try:
        one = rounds.start(project=project, reason="asked", actor=request.user)
        messages.success(request, f"Round {one.number} has begun.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("worker:rounds", slug)
