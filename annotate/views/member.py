"""Who is in the project, and the links that let others in."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate.access import RIGHTS, project_for
from annotate.forms import InviteForm, RoleForm
from annotate.models import AccessToken, Invite, Membership, Project, SecondFactor
from annotate.project_forms import MachineForm, QuotaForm
from annotate.services.access_token import create_machine_token, revoke_token
from annotate.services.invite import create_invite, revoke_invite
from annotate.services.known import reset_qualification
from annotate.services.member import change_quota, change_role, remove_member


@require_safe
def members(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    return _page(request, project, InviteForm())


def _page(request: HttpRequest, project: Project, form: Form, status: int = 200, **shown: object) -> HttpResponse:
    coded = Exists(SecondFactor.objects.on().filter(user=OuterRef("user")))
    everybody = project.memberships.select_related("user").annotate(coded=coded).order_by("user__username")
    context = {
        "project": project,
        "people": everybody.filter(user__is_machine=False),
        "machines": project.tokens.of_machines()
        .select_related("user", "created_by")
        .order_by("user__username", "-created_at"),
        "invites": project.invites.select_related("created_by", "used_by"),
        "form": form,
        "machine": MachineForm(),
        "roles": RIGHTS,
    }
    return render(request, "annotate/members.html", context | shown, status=status)


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


@require_POST
def quota(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    member = get_object_or_404(Membership, project=project, pk=pk)
    form = QuotaForm(request.POST)
    if not form.is_valid():
        return _page(request, project, InviteForm(), status=422, wrong=member.pk, why=form.errors["quota"][0])
    change_quota(member=member, quota=form.cleaned_data["quota"], actor=request.user)
    messages.success(request, f"The quota of {member.user.username} is changed.")
    return redirect("annotate:members", slug)


@require_POST
def again(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Let a member try the qualification set again."""
    project = project_for(request.user, slug, "manage")
    member = get_object_or_404(Membership.objects.select_related("project", "user"), project=project, pk=pk)
    reset_qualification(member=member, actor=request.user)
    messages.success(request, f"{member.user.username} can try again.")
    return redirect("annotate:known", slug)


@require_POST
def machine_create(request: HttpRequest, slug: str) -> HttpResponse:
    """Answers with the page itself: the secret is shown now or never."""
    project = project_for(request.user, slug, "manage")
    form = MachineForm(request.POST)
    if form.is_valid():
        try:
            _, secret = create_machine_token(project=project, name=form.cleaned_data["name"], actor=request.user)
            return _page(request, project, InviteForm(), secret=secret)
        except ValidationError as error:
            form.add_error("name", error.messages)
    return _page(request, project, InviteForm(), status=422, machine=form)


@require_POST
def machine_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    revoke_token(token=get_object_or_404(AccessToken.objects.of_machines(), project=project, pk=pk), actor=request.user)
    messages.success(request, "The token opens nothing any more.")
    return redirect("annotate:members", slug)
