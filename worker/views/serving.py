"""How to have samples scored from outside, and the tokens that allow it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Project
from worker.models import ServeToken
from worker.score_forms import ServeTokenForm
from worker.services.serve_token import create_serve_token, revoke_serve_token


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request.user, slug, "manage"), ServeTokenForm())


def _page(  # nosec B107  # none is shown
    request: HttpRequest, project: Project, form: ServeTokenForm, secret: str = "", status: int = 200
) -> HttpResponse:
    tokens = project.serve_tokens.select_related("created_by")
    promoted = project.versions.promoted()
    context = {"project": project, "form": form, "tokens": tokens, "secret": secret, "promoted": promoted}
    return render(request, "worker/serving.html", context | {"newest": project.versions.first()}, status=status)


@require_POST
def create(request: HttpRequest, slug: str) -> HttpResponse:
    """Answers with the page itself: the secret is shown now or never."""
    project, form = project_for(request.user, slug, "manage"), ServeTokenForm(request.POST)
    if form.is_valid():
        try:
            _, secret = create_serve_token(project=project, name=form.cleaned_data["name"], actor=request.user)
            return _page(request, project, ServeTokenForm(), secret=secret)
        except ValidationError as error:
            form.add_error("name", error.messages)
    return _page(request, project, form, status=422)


@require_POST
def revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    revoke_serve_token(token=get_object_or_404(ServeToken, project=project, pk=pk), actor=request.user)
    messages.success(request, "The token opens nothing any more.")
    return redirect("worker:serving", slug)
