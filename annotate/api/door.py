"""What all requests under /api/v1/ pass, before Django looks for the operation: token, rate, key; and JSON always."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from annotate.api.auth import token_of
from annotate.api.errors import as_problem, problem
from annotate.api.once import once
from annotate.api.rates import spend

ROOT = "/api/v1/"
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def door(get_response: GetResponse) -> GetResponse:
    """Middleware; requests for pages go straight through."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ROOT):
            return get_response(request)
        request.token = token_of(request)
        return as_problem(_passed(request, get_response))

    return middleware


def _passed(request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    if request.token is None:  # the operation refuses; the schema is for everybody
        return get_response(request)
    rate = spend(request.token.user_id)
    if rate.exceeded:
        said = f"More than {rate.limit} requests; go on in {rate.seconds} s."
        return rate.told(problem(429, said, Retry_After=rate.seconds))
    return rate.told(once(request, request.token.user, get_response))
