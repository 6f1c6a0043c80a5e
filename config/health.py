"""Is this process alive, and can it do its work? For load balancers and supervisors; nobody signs in for it.

/healthz says that the process answers. /readyz says whether it should be sent requests: not without the database, nor
before the migrations it needs. Without Redis, a broker or a worker pages get slower, not wrong, so that is told only.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.core.cache import cache as kept
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone
from kombu import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from worker.models import Node

log = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
OK = "ok"


def probes(get_response: GetResponse) -> GetResponse:
    """Middleware, in front of what looks at hosts, HTTPS and sessions: a probe knows the address of a process alone."""
    answers = {"/healthz": healthz, "/readyz": readyz}

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = answers.get(request.path)
        if answer is None:
            return get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = answer()
        response.headers["Cache-Control"] = "no-store"
        return response

    return middleware


def healthz() -> JsonResponse:
    return JsonResponse({"alive": True})


def readyz() -> JsonResponse:
    """503 when requests would fail. `checks` says ok, or what is wrong, of each part; never an address or a secret."""
    needed = {"database": _database()}
    if needed["database"] == OK:
        needed["migrations"] = _migrations()
    told = {"redis": _redis(), "broker": _broker()}
    if needed["database"] == OK:
        told["workers"] = _workers()
    ready = all(said == OK for said in needed.values())
    checks = needed | {name: said for name, said in told.items() if said}
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        log.warning("Not ready, the database does not answer: %s", error)
        return "does not answer"
    return OK


@cache
def _migrated() -> bool:
    """Kept once it is so: a process whose migrations ran stays ready. Raises what is missing as a LookupError."""
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError(f"{len(missing)} missing: run manage.py migrate")
    return True


def _migrations() -> str:
    try:
        _migrated()
    except LookupError as missing:
        return missing.args[0]
    return OK


def _redis() -> str:
    if not settings.REDIS_URL:
        return ""
    try:
        kept.get("ready")
    except (RedisError, OSError):
        return "does not answer: pages follow jobs more slowly"
    return OK


def _broker() -> str:
    if settings.BROKER_URL in (settings.REDIS_URL, "") or settings.BROKER_URL.startswith("filesystem"):
        return ""
    try:
        with Connection(settings.BROKER_URL, connect_timeout=2) as link:
            link.connect()
    except (OperationalError, OSError):
        return "does not answer: jobs start with the next sweep"
    return OK


def _workers() -> str:
    seen = Node.objects.filter(seen_at__gte=timezone.now() - timedelta(minutes=1)).exists()
    return OK if seen else "none seen for a minute: jobs wait"
