"""The addresses that are told what happens in a project, and what became of each message."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import project_for
from annotate.models import Project
from worker.models import Delivery, Webhook
from worker.services import webhook as hooks
from worker.webhook_form import WORDS, WebhookForm

PAGE = 50
COUNTS = {name: Count("deliveries", Q(deliveries__state=name)) for name in ("waiting", "delivered", "failed")}


@require_safe
def index(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request.user, slug, "manage"), WebhookForm())


def _page(request: HttpRequest, project: Project, form: WebhookForm, status: int = 200, **context: object):
    rows = project.webhooks.annotate(**COUNTS)
    context |= {"project": project, "form": form, "rows": [(row, [WORDS[kind] for kind in row.kinds]) for row in rows]}
    return render(request, "worker/webhooks.html", context, status=status)


@require_POST
def create(request: HttpRequest, slug: str) -> HttpResponse:
    """Answers with the page itself: the secret is shown now or never."""
    project, form = project_for(request.user, slug, "manage"), WebhookForm(request.POST)
    if form.is_valid():
        try:
            hook, secret = hooks.create_webhook(project=project, actor=request.user, **form.cleaned_data)
            return _page(request, project, WebhookForm(), secret=secret, made=hook)
        except ValidationError as error:
            form.add_error(None, error)
    return _page(request, project, form, status=422)


@require_safe
def detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    return _detail(
        request, project, get_object_or_404(Webhook.objects.select_related("created_by"), project=project, pk=pk)
    )


def _detail(request: HttpRequest, project: Project, hook: Webhook, secret: str = "") -> HttpResponse:  # nosec B107
    page = Paginator(hook.deliveries.all(), PAGE).get_page(request.GET.get("page"))
    live = any(row.state == "waiting" for row in page)
    words = [WORDS[kind] for kind in hook.kinds]
    context = {"project": project, "hook": hook, "page": page, "live": live, "words": words, "secret": secret}
    fragment = request.htmx and not request.htmx.boosted
    return render(request, f"worker/webhook.html{'#deliveries' if fragment else ''}", context)


@require_POST
def ping(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    hook = _hook(request, slug, pk)
    if hook.enabled:
        hooks.ping(webhook=hook, actor=request.user)
        messages.success(request, "A test is on its way; what became of it stands below.")
    else:
        messages.error(request, "The webhook is off: switch it on first.")
    return redirect("worker:webhook", slug, pk)


@require_POST
def switch(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    hook = _hook(request, slug, pk)
    hooks.switch_webhook(webhook=hook, on="on" in request.POST, actor=request.user)
    return redirect("worker:webhook", slug, pk)


@require_POST
def secret(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Answers with the page itself: the secret is shown now or never."""
    hook = _hook(request, slug, pk)
    return _detail(request, hook.project, hook, hooks.renew_secret(webhook=hook, actor=request.user))


@require_POST
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    hooks.remove_webhook(webhook=_hook(request, slug, pk), actor=request.user)
    messages.success(request, "The webhook is removed; nothing more is sent there.")
    return redirect("worker:webhooks", slug)


@require_POST
def again(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project = project_for(request.user, slug, "manage")
    found = Delivery.objects.select_related("webhook")
    delivery = get_object_or_404(found, webhook__project=project, pk=pk)
    if delivery.webhook.enabled:
        hooks.send_again(delivery=delivery, actor=request.user)
        messages.success(request, "It is sent again, under the same id.")
    else:
        messages.error(request, "The webhook is off: switch it on first.")
    return redirect("worker:webhook", slug, delivery.webhook_id)


def _hook(request: HttpRequest, slug: str, pk: int) -> Webhook:
    project = project_for(request.user, slug, "manage")
    hook = get_object_or_404(Webhook, project=project, pk=pk)
    hook.project = project  # with the reader's rights
    return hook
