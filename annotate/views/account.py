"""The doors: sign in and out, change the password, come in by an invite."""

from django.contrib import auth, messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from annotate.account_forms import CodeForm, PasswordForm, SignInForm, seconds_to_wait
from annotate.door import ask_code, come_in, who_waits
from annotate.forms import SignUpForm
from annotate.models import Invite
from annotate.services.invite import join, sign_up
from annotate.services.second_factor import has_second_factor, use_code
from annotate.services.user import change_password, end_sessions


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    target = _own_page(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = SignInForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.get_user()
        return (ask_code if has_second_factor(user) else come_in)(request, user, target)
    return page(request, "annotate/login.html", form, next=target)


def _own_page(request: HttpRequest) -> str:
    """Where `next` points, if it stays on this host; the home page otherwise."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe and target.startswith("/") else resolve_url("annotate:home")


def page(request: HttpRequest, template: str, form: object, **context: object) -> HttpResponse:
    wait = seconds_to_wait(form)
    response = render(request, template, {"form": form, **context}, status=429 if wait else 422 if form.errors else 200)
    if wait:
        response["Retry-After"] = wait
    return response


@login_not_required
@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The second step, for those who have one."""
    waiting = who_waits(request)
    if waiting is None or request.user.is_authenticated:
        return redirect("annotate:login")
    user, to = waiting
    form = CodeForm(request, user, use_code, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return come_in(request, user, to)
    return page(request, "annotate/code.html", form)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("annotate:login")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        change_password(user=request.user, password=form.cleaned_data["new_password1"])
        auth.update_session_auth_hash(request, request.user)  # other browsers are signed out, this one stays
        messages.success(request, "Your password is changed. Other browsers are signed out.")
        return redirect("annotate:account")
    return page(request, "annotate/password.html", form)


@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Here too: whoever asks for it does not trust some browser, and cannot say which."""
    programs = "tokens" in request.POST
    end_sessions(user=request.user, tokens=programs)
    auth.logout(request)
    also = ", and your access tokens open nothing any more" if programs else ""
    messages.success(request, f"You are signed out everywhere{also}.")
    return redirect("annotate:login")


@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """A new person signs up, a known one joins. Used, expired, revoked and invented links look the same."""
    found = Invite.objects.usable().with_token(token).select_related("project", "created_by").first()
    if not found:
        return render(request, "annotate/invite_gone.html", status=404)
    form = None if request.user.is_authenticated else SignUpForm(request.POST or None)
    if request.method == "POST" and (form is None or form.is_valid()):
        return _come_in(request, token, found, form)
    member = found.project.memberships.filter(user_id=request.user.pk).first()
    context = {"form": form, "invite": found, "member": member}
    return render(request, "annotate/invite.html", context, status=422 if form and form.errors else 200)


def _come_in(request: HttpRequest, token: str, found: Invite, form: SignUpForm | None) -> HttpResponse:
    try:
        if form:
            name, secret = form.cleaned_data["username"], form.cleaned_data["password1"]
            user = sign_up(token=token, username=name, password=secret)
            return come_in(request, user, resolve_url("annotate:project", found.project.slug))
        join(token=token, user=request.user)
    except ValidationError:  # another person was faster
        return render(request, "annotate/invite_gone.html", status=404)
    except IntegrityError:  # another person took the name meanwhile: now the form says so
        return invite(request, token)
    return redirect("annotate:project", found.project.slug)
