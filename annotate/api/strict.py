"""What was sent is understood whole, or refused: a filter with a slip in its name must not look like one that holds."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase
from ninja.parser import Parser

from annotate.api.errors import WRONG, problem
from annotate.formats.rows import UNSTORABLE, json_object


class Storable(Parser):
    """Bodies are JSON objects that a database can store: no NUL, no lone surrogates, no NaN, no endless nesting."""

    def parse_body(self, request: HttpRequest) -> dict:
        return json_object(request.body.decode())


def strict(run: Callable) -> Callable:
    """Around each operation: 422 for parameters that it does not know or that no database can be asked for, 415 for a
    body that is not JSON."""
    models = run.__self__.models
    known = {name for model in models if _source(model) == "query" for name in model.__ninja_flatten_map__}
    takes_json = any(_source(model) == "body" for model in models)

    @wraps(run)
    def checked(request: HttpRequest, **path: object) -> HttpResponseBase:
        if request.token and (unknown := sorted(set(request.GET) - known)):
            said = f"There is no such parameter here; there are: {', '.join(sorted(known)) or 'none'}."
            return problem(422, WRONG, [{"field": name, "message": said} for name in unknown])
        odd = [name for name, values in request.GET.lists() if UNSTORABLE.search("".join(values))]
        if request.token and odd:
            return problem(422, WRONG, [{"field": name, "message": "No text holds this character."} for name in odd])
        if request.token and takes_json and request.content_type not in ("application/json", ""):
            return problem(415, f"The body must be application/json, not {request.content_type}.")
        return run(request, **path)

    return checked


def _source(model: type) -> str:
    return model.__ninja_param_source__
