"""Requests of every kind to every operation of the API, made from its schema.

None may be a server's error, and every answer must be one that the schema names, in the form that it gives. What a
request did is undone. The suite sends a few of each kind, always the same; to send more of them:

    FUZZ_EXAMPLES=500 .venv/bin/python -m pytest tests/test_api_fuzz.py -s
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.api_world import OPERATIONS, token_for, with_api
from tests.fuzz.tally import Tried, taken

ALWAYS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]
HOW = {  # kind of request: (as the schema has it or not, ids of what there is or any, with a token or without)
    "as the schema has it": (GenerationMode.POSITIVE, True, True),
    "of things that may not be": (GenerationMode.POSITIVE, False, True),
    "against the schema": (GenerationMode.NEGATIVE, True, True),
    "without a token": (GenerationMode.POSITIVE, True, False),
}
Tally = Counter  # (operation, kind of request, status) → how many


@schemathesis.serializer("application/jsonl", "application/octet-stream")
def lines(_: object, value: object) -> bytes:
    """A body of lines goes as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def schema() -> schemathesis.BaseSchema:
    """The API's, with the application that answers in this very thread."""
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})  # the token is ours
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), config=config)


def fuzz(operation: object, values: dict, secret: str, examples: int, tally: Tally) -> Iterator[str]:
    """Send each kind of request to one operation; what was wrong with an answer, for each kind at most once."""
    for kind, (mode, pinned, known) in HOW.items():
        headers = {"Authorization": f"Bearer {secret}" if known else "Bearer ts_none"}
        cases = operation.as_strategy(generation_mode=mode, path_parameters=values if pinned else None)
        try:
            with suppress(Unsatisfiable):  # beside its ids there is nothing to break
                _send(cases, headers, kind, examples if known else 2, tally)
        except Exception as error:  # whatever the application raised, or a check says
            yield f"{operation.label}, {kind}: {type(error).__name__}: {error}"


def _send(cases: object, headers: dict, kind: str, examples: int, tally: Tally) -> None:
    """That many of them, always the same; raises at the first answer that may not be."""

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=cases)
    def tried(case: object) -> None:
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        tally[case.operation.label, kind, answer.status_code] += 1
        case.validate_response(answer, checks=ALWAYS)
        assert known_or_refused(kind, answer.status_code), answer.status_code

    tried()


def known_or_refused(kind: str, status: int) -> bool:
    """Without a token nothing is answered."""
    return kind != "without a token" or status == 401


def line(tally: Tally) -> dict:
    """The same counts as the other kinds of input have."""
    tried = Tried("API")
    for (operation, kind, status), n in tally.items():
        for _ in range(n):
            tried.add(kind, taken(status), f"{operation} {status}")
    return tried.line()


def told(tally: Tally) -> Iterator[str]:
    """A line for each kind of request, with how it was answered."""
    for kind in HOW:
        found = Counter()
        for (_, one, status), n in sorted(tally.items(), key=lambda line: line[0][2]):
            found[status] += n * (one == kind)
        answers = ", ".join(f"{status}: {n:,}" for status, n in found.items() if n)
        yield f"{kind}: {sum(found.values()):,} requests ({answers})"
    yield f"together: {tally.total():,} requests, {sum(n for (*_, s), n in tally.items() if s >= 500)} server errors"


def everything(world: object, examples: int, tally: Tally) -> list[str]:
    """What was wrong, of all operations; by the token of an admin."""
    place, admin = with_api(world.here), world.people["admin"]
    described, secret = schema(), token_for(admin)
    return [
        said
        for method, path in OPERATIONS.values()
        for said in fuzz(described[path][method], place.values(path, admin), secret, examples, tally)
    ]
