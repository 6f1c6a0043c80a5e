"""One shape for all that can go wrong: {"detail": sentence, "errors": [{"field" or "line", "message"}]}."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, ValidationError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from ninja import Schema
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as Unreadable

from annotate.services.lease import Conflict

TOKEN_NEEDED = (  # nosec B105  # a sentence
    "A good token is needed, as Authorization: Bearer ts_…; none was sent, or it is unknown, expired or revoked."
)
WRONG = "The request says something that cannot be."


class Wrong(Schema):
    message: str
    field: str | None = None
    line: int | None = None


class Problem(Schema):
    """What every refusal holds."""

    detail: str
    errors: list[Wrong]


def problem(status: int, detail: str, errors: Sequence[dict] = (), **headers: object) -> JsonResponse:
    """A refusal."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return JsonResponse({"detail": detail, "errors": list(errors)}, status=status, headers=named)


def as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """What Django refused with a page, as our JSON; all other responses as they are."""
    if response.status_code < 400 or response.headers.get("Content-Type", "").startswith("application/json"):
        return response
    refusal = problem(response.status_code, f"{HTTPStatus(response.status_code).phrase}.")
    if "Allow" in response.headers:
        refusal.headers["Allow"] = response.headers["Allow"]
    return refusal


def _unreadable(error: Unreadable) -> JsonResponse:
    """What pydantic says of the query, the path or the body."""
    found = [{"field": ".".join(map(str, _place(one["loc"]))), "message": one["msg"]} for one in error.errors]
    return problem(422, WRONG, found)


def _place(loc: Sequence) -> Sequence:
    """Without its source, and without the name that the argument has in our code."""
    return loc[2:] if len(loc) > 2 and isinstance(loc[2], str) else loc[1:]


def _invalid(error: ValidationError) -> JsonResponse:
    """What one of our services says of a value."""
    fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    found = [{"field": name, "message": text} for name, texts in fields.items() for text in texts]
    return problem(422, WRONG, [one if one["field"] else {"message": one["message"]} for one in found])


def _said(error: HttpError) -> JsonResponse:
    """ninja's own refusals; of a body that is no JSON the cause says why."""
    why = f": {error.__cause__}" if error.status_code == 400 and error.__cause__ else "."
    return problem(error.status_code, str(error).rstrip(".") + why)


ANSWERS: dict[type[Exception], Callable[[Exception], JsonResponse]] = {
    Http404: lambda error: problem(404, str(error) or "Not found."),
    PermissionDenied: lambda error: problem(403, str(error)),
    BadRequest: lambda error: problem(400, str(error)),
    RequestDataTooBig: lambda error: problem(413, "The body is too large for this operation."),
    Conflict: lambda error: problem(409, str(error)),
    ValidationError: _invalid,
    Unreadable: _unreadable,
    HttpError: _said,
    AuthenticationError: lambda error: problem(401, TOKEN_NEEDED, WWW_Authenticate="Bearer"),
}


def answer(request: HttpRequest, error: Exception) -> JsonResponse:
    """The refusal for an error that is expected."""
    kind = next(kind for kind in type(error).__mro__ if kind in ANSWERS)
    return ANSWERS[kind](error)
