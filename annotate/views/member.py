"""Who is in the project, and the links that let others in."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate.access import RIGHTS, project_for
from annotate.forms import InviteForm, RoleForm
from annotate.models import Invite, Membership, Project
from annotate.services.invite import create_invite, revoke_invite
from annotate.services.member import change_role, remove_member


@require_safe
def members(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    return _page(request, project, InviteForm())


def _page(request: HttpRequest, project: Project, form: InviteForm, status: int = 200, link: str = "") -> HttpResponse:
    people = project.memberships.select_related("user").order_by("user__username")
    invites = project.invites.select_related("created_by", "used_by")
    context = {"project": project, "people": people, "invites": invites, "form": form, "link": link, "roles": RIGHTS}
    return render(request, "annotate/members.html", context, status=status)


@require_POST
def invite_create(request: HttpRequest, slug: str) -> HttpResponse:
    """Answers with the page itself: the link is shown now or never, so it cannot wait for a redirect."""
    project = project_for(request.user, slug, "manage")
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, project, form, status=422)
    _, token = create_invite(project=project, actor=request.user, **form.cleaned_data)
    link = request.build_absolute_uri(reverse("annotate:invite", args=[token]))
    return _page(request, project, InviteForm(), link=link)


@require_POST
def invite_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    invite = get_object_or_404(Invite, project=project, pk=pk)
    if revoke_invite(invite=invite, actor=request.user):
        messages.success(request, "The invitation is withdrawn.")
    return redirect("annotate:members", slug)


@require_POST
def role(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    member = get_object_or_404(Membership, project=project, pk=pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _page(request, project, InviteForm(), status=422)
    try:
        change_role(member=member, role=form.cleaned_data["role"], actor=request.user)
        messages.success(request, f"{member.user.username} is {member.role} now.")
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("annotate:members", slug)


@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    member = get_object_or_404(Membership, project=project, pk=pk)
    try:
        remove_member(member=member, actor=request.user)
        messages.success(request, f"{member.user.username} is no longer in the project.")
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("annotate:members", slug)
