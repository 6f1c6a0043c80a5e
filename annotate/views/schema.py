"""What raters are asked, as a form with a preview of the judging page. Each change makes a new version."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import ValidationError

from annotate import schema_form
from annotate.access import project_for
from annotate.forms import SchemaForm
from annotate.models import Project, SchemaVersion
from annotate.project_forms import MakingForm
from annotate.schema import Schema
from annotate.schema_text import write_schema
from annotate.services.project import change_schema
from annotate.services.task import make_missing_tasks
from annotate.views.judging_page import preview_of

SECONDS = 1.0  # that one request makes tasks
SECTIONS = (
    (
        "categories",
        "What to mark",
        "Kinds of errors, each with a key of its own while marking: the first ten by digits.",
    ),
    ("criteria", "What to rate", "The lines of the rubric."),
    ("principles", "Principles", "What a rater must apply when comparing, and say which of them decided."),
    ("safety", "Harm", "Kinds of harm, asked beside everything else of each response."),
)


@require_http_methods(["GET", "HEAD", "POST"])
def schema(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; the button that was pressed says what to do with it (`do`)."""
    project = project_for(request.user, slug, "manage")
    if request.method != "POST":
        return _page(request, project, schema_form.fields_of(project.schema_version.body))
    form, do = _fields(request), request.POST.get("do", "")
    if preset := schema_form.PRESETS.get(do.removeprefix("preset.")):
        return _page(request, project, schema_form.fields_of(preset[1].model_dump(mode="json")))
    if schema_form.ACT.fullmatch(do):
        return _page(request, project, _edited(form, do))
    if do == "json":
        return _save_json(request, project)
    if do != "save":
        raise BadRequest("Save it, or press one of the form's buttons.")
    return _save(request, project, form)


@require_POST
def schema_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The judging page as the fields would make it, or what is wrong with them."""
    project = project_for(request.user, slug, "manage")
    try:
        wanted = Schema.model_validate(schema_form.body_of(_fields(request)))
    except ValidationError as error:
        return render(request, "annotate/schema.html#wrong", {"errors": schema_form.errors_of(error)})
    return render(request, "annotate/schema.html#preview", preview_of(project, wanted) | {"project": project})


@require_POST
def schema_tasks(request: HttpRequest, slug: str) -> HttpResponse:
    """Make the tasks that the newest arrangement wants and that are not there yet, for a second; the page goes on."""
    project = project_for(request.user, slug, "manage")
    form = MakingForm(request.POST)
    if not form.is_valid():
        raise BadRequest("Press the button of the page.")
    new, after = make_missing_tasks(project=project, after=form.cleaned_data["after"], seconds=SECONDS)
    made = form.cleaned_data["made"] + new
    if after and request.htmx:
        return render(request, "annotate/schema.html#making", _making(project, after, made))
    if not after:
        messages.success(request, f"{made:,} tasks are made." if made else "Every task was there already.")
    return redirect(reverse("annotate:schema", args=[slug]) + (f"?after={after}&made={made}" if after else ""))


def _making(project: Project, after: object, made: object) -> dict:
    """How many of the items were looked at; nothing of numbers that are none."""
    form = MakingForm({"after": after, "made": made})
    said = form.cleaned_data if form.is_valid() else {"after": 0, "made": 0}
    seen = project.items.filter(pk__lte=said["after"]).count() if said["after"] else 0
    return {"project": project, **said, "seen": seen, "every": project.items.count()}


def _save(request: HttpRequest, project: Project, form: dict[str, str]) -> HttpResponse:
    try:
        wanted = Schema.model_validate(schema_form.body_of(form))
    except ValidationError as error:
        return _page(request, project, form, schema_form.errors_of(error))
    return _stored(request, project, wanted)


def _save_json(request: HttpRequest, project: Project) -> HttpResponse:
    """The same for who would rather write it as JSON."""
    written = SchemaForm(request.POST)
    if written.is_valid():
        return _stored(request, project, written.cleaned_data["body"])
    return _page(request, project, schema_form.fields_of(project.schema_version.body), written=written)


def _stored(request: HttpRequest, project: Project, wanted: Schema) -> HttpResponse:
    if wanted == project.schema:
        messages.success(request, "The schema is as it was.")
    else:
        number = change_schema(project=project, schema=wanted, actor=request.user).number
        messages.success(request, f"Saved as schema version {number}.")
    return redirect("annotate:schema", project.slug)


def _edited(form: dict[str, str], do: str) -> dict[str, str]:
    try:
        return schema_form.edited(form, do)
    except (ValueError, IndexError):
        raise BadRequest("There is no such row.") from None


def _fields(request: HttpRequest) -> dict[str, str]:
    """PostgreSQL stores no NUL, browsers send CRLF."""
    sent = {name: value.replace("\0", "").replace("\r\n", "\n") for name, value in request.POST.items()}
    return {name: value for name, value in sent.items() if name not in ("do", "csrfmiddlewaretoken")}


def _page(
    request: HttpRequest,
    project: Project,
    form: dict[str, str],
    errors: dict[str, str] | None = None,
    written: SchemaForm | None = None,
) -> HttpResponse:
    """The whole page, or for htmx the form alone."""
    errors = errors or {}
    sections = [
        {"name": name, "title": title, "help": words, "rows": _rows(form, name, errors)}
        for name, title, words in SECTIONS
    ]
    context = {
        "project": project,
        "form": form,
        "errors": errors,
        "sections": sections,
        "presets": [(key, label) for key, (label, _) in schema_form.PRESETS.items()],
        "choices": _choices(form),
        "switches": [(name, words, name in form) for name, words in SWITCHES],
        "rules": [(f"rules.{name}", words, f"rules.{name}" in form) for name, words in RULES],
        "written": written or SchemaForm(initial={"body": write_schema(project.schema)}),
        "versions": (versions := _versions(project)),
        "arranged_anew": len({row["version"].schema.arrangement for row in versions[:2]}) > 1,
    }
    context |= _making(project, request.GET.get("after", 0), request.GET.get("made", 0))
    template = "annotate/schema.html#form" if request.htmx else "annotate/schema.html"
    return render(request, template, context, status=422 if errors or written else 200)


def _rows(form: dict[str, str], name: str, errors: dict[str, str]) -> list[dict]:
    """Each row's fields as (name, value, error), and the error of the row as a whole."""
    rows = []
    for n in schema_form.numbers(form, name):
        at = f"{name}.{n}"
        names = {field: f"{at}.{field}" for field in schema_form.ROWS[name].model_fields}
        fields = {
            field: {"name": full, "value": form.get(full, ""), "error": errors.get(full)}
            for field, full in names.items()
        }
        rows.append({"n": n, "at": at, "fields": fields, "error": errors.get(at)})
    return rows


CHOICES = (
    ("arrangement", "Shown together", {"pairs": "each pair", "all": "all, to be ranked", "single": "one alone"}),
    ("strengths", "Levels of a preference", {"3": "slightly, better, much better", "1": "better"}),
    ("rationale", "Rationale", {"optional": "may be given", "required": "must be given", "off": "is not asked"}),
    (
        "steps",
        "Steps of a response",
        {"off": "not asked", "each": "each one", "first_error": "the first error"},
    ),
    ("weighing", "Principles are", {"ranked": "ranked: the first counts most", "weighted": "weighted"}),
)
SWITCHES = (
    ("omissions", "Mark what is missing"),
    ("partial", "A ranking may leave responses out"),
    ("turns", "Label the assistant's turns of the conversation"),
    ("rewrite", "Write a better version of a response"),
    ("demonstration", "Write an own answer"),
)
RULES = (
    ("shortest", "Marks are as short as can be"),
    ("one_type", "A stretch of text has one category"),
    ("priority", "Where two categories fit, the first is taken"),
)


def _choices(form: dict[str, str]) -> list[tuple]:
    return [
        (name, label, [(value, words, form.get(name) == value) for value, words in options.items()])
        for name, label, options in CHOICES
    ]


def _versions(project: Project) -> list[dict]:
    """Newest first, each with how many current judgements were made under it."""
    counts = dict(project.judgements.current().values_list("schema_version").annotate(n=Count("pk")))
    versions = SchemaVersion.objects.filter(project=project).order_by("-number").select_related("created_by")
    return [{"version": version, "judgements": counts.get(version.number, 0)} for version in versions[:20]]
