"""The ledger to read and to take along: of one project for its admins, of the whole site for superusers."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from annotate.access import project_for
from annotate.audit import page
from annotate.audit_form import AuditForm
from annotate.models import Event, Project, User
from annotate.services.audit import export_csv, export_jsonl, page_of

PAGE = 50
FILES = {"csv": (export_csv, "text/csv; charset=utf-8"), "jsonl": (export_jsonl, "application/jsonl")}


@require_safe
def project_audit(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request.user, slug, "manage"))


@require_safe
def project_file(request: HttpRequest, slug: str) -> HttpResponse:
    return _file(request, project_for(request.user, slug, "manage"))


@require_safe
def site_audit(request: HttpRequest) -> HttpResponse:
    _superusers_only(request.user)
    return _page(request, None)


@require_safe
def site_file(request: HttpRequest) -> HttpResponse:
    _superusers_only(request.user)
    return _file(request, None)


def _superusers_only(user: User) -> None:
    if not user.is_superuser:
        raise PermissionDenied("Only a superuser reads what happened on the whole site.")


def _page(request: HttpRequest, project: Project | None) -> HttpResponse:
    form = AuditForm(request.GET, project=project)
    found = page_of(form.chosen(), _last_seen(request.GET, project), PAGE + 1) if form.is_valid() else []
    people = User.objects.filter(memberships__project=project) if project else User.objects.all()
    context = {
        "project": project,
        "form": form,
        "lines": [_line(event) for event in found[:PAGE]],
        "older": found[PAGE - 1].pk if len(found) > PAGE else None,
        "asked": any(request.GET.get(name) for name in form.fields),
        "people": people.order_by("username").values_list("username", flat=True)[:1000],
        "files": [(name, _address(request.GET, project, name)) for name in FILES],
    }
    template = "annotate/audit.html#rows" if request.htmx else "annotate/audit.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _last_seen(sent: QueryDict, project: Project | None) -> Event | None:
    """The event that a page goes on after."""
    rows, number = project.events if project else Event.objects, sent.get("before", "")
    return rows.filter(pk=int(number)).first() if number.isascii() and number.isdigit() and len(number) < 19 else None


def _line(event: Event) -> dict:
    """An event as the page prints it."""
    where = page(event.kind, event.subject, event.data) if event.project else None
    url = where and reverse(where[0], kwargs={"slug": event.project.slug, **where[1]})
    return {"event": event, "said": event.said, "url": url}


def _address(sent: QueryDict, project: Project | None, kind: str) -> str:
    """Where the same choice is a file."""
    query = sent.copy()
    query.pop("before", None)
    query["format"] = kind
    path = reverse("annotate:audit_file", args=[project.slug]) if project else reverse("annotate:site_audit_file")
    return f"{path}?{query.urlencode()}"


def _file(request: HttpRequest, project: Project | None) -> HttpResponse:
    form, kind = AuditForm(request.GET, project=project), request.GET.get("format", "csv")
    if not form.is_valid() or kind not in FILES:
        return _page(request, project)
    write, content_type = FILES[kind]
    name = f"{project.slug if project else 'site'}-audit.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(write(form.chosen()), content_type=content_type, headers=headers)
