"""The guidelines: read and searched by everybody, edited by admins, every version kept; and worked examples."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import project_for
from annotate.models import GuidelineVersion, Judgement, KnownAnswer, Project, User
from annotate.models.task import TaskKind
from annotate.prepared import Prepared
from annotate.project_forms import GuidelinesForm
from annotate.services.guidelines import change_guidelines, changes
from annotate.text import prose
from annotate.views.judging_page import example_of

EXAMPLES = Prepared(
    lambda project: KnownAnswer.objects.filter(
        task__project=project, task__kind=TaskKind.EXAMPLE, active=True
    ).order_by("pk"),
    project=int,
)


@require_safe
def guidelines(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "see")
    versions = project.guideline_versions.select_related("created_by").defer("body")
    context = {"project": project, "guidelines": prose(project.guidelines), "versions": versions}
    return render(request, "annotate/guidelines.html", context | pane_of(project, request.user))


def pane_of(project: Project, user: User) -> dict:
    """What stands beside the guidelines: worked examples, and `news`, the version the rater last judged by."""
    return {"examples": EXAMPLES(project=project.pk), "news": _last_read(project, user)}


def _last_read(project: Project, user: User) -> int | None:
    """Which guidelines the rater's last judgement was made by, if they have changed since."""
    if not project.guidelines_number:
        return None
    own = Judgement.objects.filter(project=project, rater=user, assignment__isnull=False).order_by("-pk")
    number = own.values_list("guidelines_number", flat=True).first()
    return None if number is None or number >= project.guidelines_number else number


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The text in a form, and a preview of it; the button that was pressed says which (`part`)."""
    project = project_for(request.user, slug, "manage")
    if request.POST.get("part") == "preview":
        shown = {"guidelines": prose(request.POST.get("guidelines", ""))}
        return render(request, "annotate/guidelines_edit.html#preview", shown)
    form = GuidelinesForm(request.POST or None, initial={"guidelines": project.guidelines})
    if request.method == "POST" and form.is_valid():
        return _changed(request, project, form.cleaned_data["guidelines"])
    context = {"project": project, "form": form, "guidelines": prose(project.guidelines)}
    return render(request, "annotate/guidelines_edit.html", context, status=422 if form.errors else 200)


def _changed(request: HttpRequest, project: Project, body: str, restored: int | None = None) -> HttpResponse:
    version = change_guidelines(project=project, body=body, actor=request.user, restored=restored)
    told = f"Saved as version {version.number}; raters are told." if version else "The guidelines are as they were."
    messages.success(request, told)
    return redirect("annotate:guidelines", project.slug)


@require_safe
def version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One version beside what it changed, since the one before or since `?since=`."""
    project = project_for(request.user, slug, "see")
    one = get_object_or_404(GuidelineVersion.objects.select_related("created_by"), project=project, number=number)
    asked = request.GET.get("since", "")[:9]
    since = int(asked) if asked.isascii() and asked.isdigit() and int(asked) < number else number - 1
    old = project.guideline_versions.filter(number=since).values_list("body", flat=True).first() or ""
    context = {"project": project, "version": one, "since": since, "changes": list(changes(old, one.body))}
    return render(request, "annotate/guidelines_version.html", context | {"guidelines": prose(one.body)})


@require_POST
def restore(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The text of an old version as a new one."""
    project = project_for(request.user, slug, "manage")
    old = get_object_or_404(GuidelineVersion, project=project, number=number)
    return _changed(request, project, old.body, restored=number)


@require_safe
def example(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A worked example in the judging page, to be read."""
    project = project_for(request.user, slug, "see")
    examples = KnownAnswer.objects.filter(task__project=project, task__kind=TaskKind.EXAMPLE, active=True)
    known = get_object_or_404(examples.select_related("task__item"), pk=pk)
    context = {"project": project} | example_of(project, known) | pane_of(project, request.user)
    return render(request, "annotate/judge.html", context)
