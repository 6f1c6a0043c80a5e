"""What a line of the log carries: the time, the request and the job it belongs to; as text or as JSON."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from textwrap import indent
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

requests = logging.getLogger("touchstone.requests")
REQUEST: ContextVar[str] = ContextVar("request", default="")
JOB: ContextVar[int | None] = ContextVar("job", default=None)
INVITE = re.compile(r"(/invite/)[^/\s\"'?]+")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")  # an id of a proxy's; anything else could forge a line


@contextmanager
def about(*, request: str = "", job: int | None = None) -> Iterator[None]:
    """Every line written inside belongs to that request and that job."""
    asked, working = REQUEST.set(request), JOB.set(job)
    try:
        yield
    finally:
        REQUEST.reset(asked)
        JOB.reset(working)


def request_id(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: each request has an id, a proxy's or one of ours, which the response repeats as X-Request-ID."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.id = given if WELL_FORMED.fullmatch(given) else uuid4().hex
        with about(request=request.id):
            response = get_response(request)
        response.headers["X-Request-ID"] = request.id
        return response

    return middleware


def told(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: one line for each request that is not for a static file."""

    def middleware(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = get_response(request)
        spent = round(1000 * (time.perf_counter() - start), 1)
        user = getattr(request, "_cached_user", None)  # who it was, if anybody looked: a line is not worth a query
        said = {"method": request.method, "path": _safe_path(request), "status": response.status_code}
        extra = said | {"milliseconds": spent, "user_id": user.pk if user else None}
        requests.info("%(method)s %(path)s %(status)s", said, extra=extra)
        return response

    return middleware


def _safe_path(request: HttpRequest) -> str:
    """Without the query; where the path itself is a secret, as of an invite, the route instead."""
    match = request.resolver_match
    return f"/{match.route}" if match and "token" in match.kwargs else request.path


def unsaid(text: str) -> str:
    """Without the secrets of invites, whoever wrote them there: Django writes the path of what it refuses."""
    return INVITE.sub(r"\1…", text)


def with_context(record: logging.LogRecord) -> bool:
    """A filter that lets all pass: the record learns its request and job."""
    record.request_id, record.job_id = REQUEST.get(), JOB.get()
    said = [
        f"request={record.request_id}" if record.request_id else "",
        f"job={record.job_id}" if record.job_id else "",
    ]
    record.about = "".join(f" [{one}]" for one in said if one)
    return True


class Lines(logging.Formatter):
    """One line a message, and a traceback indented below it: nothing that a client sends begins a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        return unsaid(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _printable(record.message).replace("\n", "\\n")
        return super().formatMessage(record)

    def formatException(self, info: tuple) -> str:
        return indent(_printable(super().formatException(info)), "    ")


def _printable(text: str) -> str:
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request_id, job_id, what `extra` gave, the traceback."""

    PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "about", "request_id", "job_id"}
    PLAIN |= {"color_message"}  # uvicorn's, for a terminal

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "") or None,
            "job_id": getattr(record, "job_id", None),
        }
        line |= {name: value for name, value in vars(record).items() if name not in self.PLAIN}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return unsaid(json.dumps({name: value for name, value in line.items() if value is not None}, default=str))
