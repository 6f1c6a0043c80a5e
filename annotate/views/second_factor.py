"""The account page, and the second factor: set up with an app, new recovery codes, off again."""

import time

from django.contrib import auth, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from annotate.account_forms import AgainForm, AgainWithCodeForm, CodeForm
from annotate.door import CODE_WITHIN
from annotate.models import SecondFactor
from annotate.sealed import unseal
from annotate.services.second_factor import begin, confirm, renew_codes, turn_off
from annotate.totp import picture
from annotate.views.account import page


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    return _account(request)


def _account(request: HttpRequest, form: AgainForm | None = None) -> HttpResponse:
    factor = SecondFactor.objects.on().filter(user=request.user).first()
    form = form or (AgainWithCodeForm if factor else AgainForm)(request)
    left = factor.recovery_codes.filter(used_at=None).count() if factor else 0
    return page(request, "annotate/account.html", form, factor=factor, left=left)


@require_POST
@sensitive_post_parameters()
def start(request: HttpRequest) -> HttpResponse:
    """Answers with the page itself: the secret is in no address and no cache."""
    form = AgainForm(request, request.POST)
    if not form.is_valid():
        return _account(request, form)
    try:
        factor = begin(user=request.user)
    except ValidationError as error:
        messages.error(request, error.message)
        return redirect("annotate:account")
    request.session["setting_up"] = time.time() + CODE_WITHIN
    return _set_up(request, factor, CodeForm(request, request.user, confirm))


@never_cache
def _set_up(request: HttpRequest, factor: SecondFactor, form: CodeForm) -> HttpResponse:
    secret = unseal(factor.sealed)
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    image = picture(secret, request.user.get_username())
    return page(request, "annotate/second_factor.html", form, secret=groups, picture=image)


@require_POST
@sensitive_post_parameters("code")
def finish(request: HttpRequest) -> HttpResponse:
    """The first code: the app has the secret. Shows the recovery codes, now or never."""
    factor = SecondFactor.objects.filter(user=request.user, confirmed_at=None).first()
    if not factor or request.session.get("setting_up", 0) < time.time():
        messages.error(request, "That took too long. Start once more.")
        return redirect("annotate:account")
    form = CodeForm(request, request.user, confirm, request.POST)
    if not form.is_valid():
        return _set_up(request, factor, form)
    del request.session["setting_up"]
    request.user.refresh_from_db()
    auth.update_session_auth_hash(request, request.user)  # every session has ended; this one goes on
    return _codes(request, form.cleaned_data["code"])


@never_cache
def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(request, "annotate/recovery_codes.html", {"codes": codes})


@require_POST
@sensitive_post_parameters()
def renew(request: HttpRequest) -> HttpResponse:
    form = AgainWithCodeForm(request, request.POST)
    return _codes(request, renew_codes(user=request.user)) if form.is_valid() else _account(request, form)


@require_POST
@sensitive_post_parameters()
def off(request: HttpRequest) -> HttpResponse:
    form = AgainWithCodeForm(request, request.POST)
    if not form.is_valid():
        return _account(request, form)
    turn_off(user=request.user, actor=request.user)
    messages.success(request, "Your password is enough to sign in again.")
    return redirect("annotate:account")
