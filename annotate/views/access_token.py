"""The access tokens of the person who is signed in, nobody else's."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from annotate.services.access_token import create_token, revoke_token
from annotate.token_forms import TokenForm
from annotate.views.account import page


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list; and a new one, answered with the page itself: the secret is shown now or never."""
    form = TokenForm(request, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    _, secret = create_token(user=request.user, actor=request.user, **form.wanted())
    return _page(request, TokenForm(request), secret=secret)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    if revoke_token(token=get_object_or_404(request.user.tokens, pk=pk), actor=request.user):
        messages.success(request, "The token opens nothing any more.")
    return redirect("annotate:tokens")


def _page(request: HttpRequest, form: TokenForm, secret: str = "") -> HttpResponse:  # nosec B107
    tokens = request.user.tokens.select_related("project")
    return page(request, "annotate/tokens.html", form, secret=secret, tokens=tokens)
