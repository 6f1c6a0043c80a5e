"""The whole htmx glue, and the content security policy."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

GetResponse = Callable[[HttpRequest], HttpResponse]


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Every response forbids inline scripts and anything from another origin."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        return response

    return middleware


def htmx_manners(get_response: GetResponse) -> GetResponse:
    """Views stay ordinary Django: redirects become client-side moves, messages ride along as toasts."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if not request.htmx:
            return response
        if isinstance(response, HttpResponseRedirect):
            return HttpResponseClientRedirect(response.url)  # a whole load: pages bring their own styles and scripts
        if _is_fragment(response) and (messages := list(get_messages(request))):
            response.write(render_to_string("base.html#toasts", {"messages": messages, "oob": True}, request))
        return response

    return middleware


def _is_fragment(response: HttpResponse) -> bool:
    html = response.headers.get("Content-Type", "").startswith("text/html")
    return html and not response.streaming and "HX-Redirect" not in response.headers
