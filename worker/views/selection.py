"""What to judge next: the policy, what is in front and why, and what is waiting."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Project, Task
from annotate.models.task import TaskKind
from worker.models.job import JobState
from worker.models.selection import Strategy
from worker.round_form import SelectionForm
from worker.services import selection

SHOWN = 20


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "research")
    form = SelectionForm(instance=selection.policy_of(project))
    return _page(request, project, form, "worker/selection.html#front" if request.htmx else "worker/selection.html")


def _page(
    request: HttpRequest, project: Project, form: SelectionForm, template: str = "worker/selection.html"
) -> HttpResponse:
    policy, last = selection.policy_of(project), selection.last_order(project)
    context = {
        "project": project,
        "policy": policy,
        "form": form,
        "problem": selection.problem(policy),
        "wants": policy.ordered_at and selection.wants_order(policy),
        "last": last,
        "front": selection.in_front(project).count(),
        "waiting": selection.eligible(project).filter(priority=0).count(),
        "next": _next(project, last.result.get("worth", {}) if last and last.state == JobState.DONE else {}),
    }
    return render(request, template, context, status=422 if form.errors else 200)


def _next(project: Project, worth: dict[str, float]) -> list[tuple[Task, str]]:
    """The tasks that are served next, each with why in words."""
    rows = project.tasks.open().filter(kind=TaskKind.NORMAL, reserved=False).select_related("item")
    return [(task, _why(task, worth.get(str(task.pk)))) for task in rows.served_first()[:SHOWN]]


def _why(task: Task, value: float | None) -> str:
    if task.priority != selection.FRONT or task.reason not in selection.REASONS:
        return "priority set by a person" if task.priority else "in the order it came in"
    if value is None:
        return "drawn by lot" if task.reason == Strategy.RANDOM else task.reason
    said = {
        Strategy.MARGIN: f"|Δ| = {-value:.3f}",
        Strategy.DISAGREEMENT: f"variance of σ(Δ) = {value:.4f}",
        Strategy.INFORMATION: f"{value:.3f} nats expected",
    }
    return said.get(task.reason, task.reason)


@require_POST
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """Save the policy, and with `order` put the next batch in front."""
    project = project_for(request.user, slug, "manage")
    form = SelectionForm(request.POST, instance=selection.policy_of(project))
    if not form.is_valid():
        return _page(request, project, form)
    saved = selection.set_policy(project=project, actor=request.user, **form.cleaned_data)
    if "order" not in request.POST:
        messages.success(request, "Saved. What is in front stays until the next order.")
        return redirect("worker:selection", slug)
    try:
        job = selection.order(policy=saved, actor=request.user)
        messages.success(request, f"Job {job.pk} is ordering the tasks.")
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("worker:selection", slug)


@require_POST
def stop(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    count = selection.stop(project=project, actor=request.user)
    messages.success(request, f"{count} tasks wait in the order of their import again.")
    return redirect("worker:selection", slug)
