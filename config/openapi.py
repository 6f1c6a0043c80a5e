"""The schema of the API, with what every operation may answer besides: refusals, keys, and the rate."""

import re
from typing import Any

from ninja import NinjaAPI

from annotate.api.errors import Problem

REFUSALS = {
    400: "The body is no JSON.",
    401: "No good token: none was sent, or it is unknown, expired or revoked.",
    403: "The role in the project, or the token, lacks the right.",
    404: "There is no such thing, or the token's owner is a stranger to the project.",
    409: "The state of the thing forbids it, or the request with this Idempotency-Key is being worked on.",
    413: "The body is too large.",
    415: "The body is of another type.",
    422: "Something that was sent cannot be; `errors` names the fields.",
    429: "More requests than the token may make; Retry-After says in how many seconds to go on.",
}
FIRST = re.compile(r"\.\s|\n\n")  # where the first sentence of a description ends
ALWAYS = (401, 403, 422, 429)
WRITING = {"post", "put", "patch", "delete"}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same key, the request is answered as before and done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


class Described(NinjaAPI):
    """Operations say what they give; what all of them may refuse is said here."""

    def get_openapi_schema(self, **how: Any) -> dict:
        schema = super().get_openapi_schema(**how)
        schemas = schema["components"].setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _describe(operation, method in WRITING, "{" in path)
        return schema


def _describe(operation: dict, writes: bool, of_something: bool) -> None:
    statuses = {*ALWAYS, *([404] if of_something else []), *([409, 413] if writes else [])}
    if "requestBody" in operation:
        statuses |= {400, 415}
    if writes:
        operation["parameters"] = [*operation.get("parameters", []), KEY]
    operation["summary"] = FIRST.split(operation.get("description", operation["summary"]))[0].rstrip(".")
    for status in sorted(statuses):
        operation["responses"].setdefault(status, _refusal(status))


def _refusal(status: int) -> dict:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    headers = {"Retry-After": {"schema": {"type": "integer"}}} if status == 429 else {}
    return {"description": REFUSALS[status], "content": content} | ({"headers": headers} if headers else {})
