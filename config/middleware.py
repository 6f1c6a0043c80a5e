"""The whole htmx glue, the content security policy, the one encoding, and the page of a fault."""

import codecs
import errno
import sys
from collections.abc import Callable

from django.conf import settings
from django.contrib.messages import get_messages
from django.core.exceptions import BadRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, HttpResponseServerError
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

GetResponse = Callable[[HttpRequest], HttpResponse]


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Every response forbids inline scripts and anything from another origin; a file is no page of ours even so."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        sandbox = "sandbox; " if response.headers.get("Content-Disposition", "").startswith("attachment") else ""
        response.headers.setdefault("Content-Security-Policy", sandbox + settings.CONTENT_SECURITY_POLICY)
        return response

    return middleware


def in_utf8(get_response: GetResponse) -> GetResponse:
    """What is sent is UTF-8: Django takes the name of any codec, and fails on one that is none of text."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.encoding and codecs.lookup(request.encoding).name != "utf-8":
            raise BadRequest("What is sent is to be UTF-8.")
        return get_response(request)

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


def broken(request: HttpRequest) -> HttpResponse:
    """The page of a fault of ours and its number in the log; without context processors, which may be at fault.

    A database that is away or busy, or a full disk, is none: 503, and whoever asks comes back.
    """
    error = sys.exc_info()[1]
    full = disk_is_full(error)
    away = full or isinstance(error, OperationalError | InterfaceError)
    context = {"request_id": getattr(request, "id", ""), "away": away, "full": full}
    response = HttpResponseServerError(render_to_string("500.html", context), status=503 if away else 500)
    if away:
        response.headers["Retry-After"] = "2"
    return response


def disk_is_full(error: BaseException | None) -> bool:
    """The database's, or that of our own files."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    said = str(error)
    return isinstance(error, OperationalError) and ("No space left" in said or "disk is full" in said)
