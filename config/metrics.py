"""/metrics for Prometheus: what this process answered, and what the house is doing.

Requests are counted by each process for itself, so each process is scraped at its own address. The rest is read from
the database when it is asked for, and is the same from all.
"""

import secrets
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from worker import monitoring
from worker.services.node import is_stale

ASKED = ("view", "method")
REQUESTS = Counter("touchstone_requests", "Requests answered by this process.", [*ASKED, "status"])
SECONDS = Histogram("touchstone_request_seconds", "Seconds until the response was ready.", ASKED)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # a client may write any word there


def counted(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: every request by its view (never its address, which has no end of values), method and status."""

    def middleware(request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = get_response(request)
        view = request.resolver_match.view_name if request.resolver_match else "none"
        asked = (view, request.method if request.method in METHODS else "other")
        REQUESTS.labels(*asked, response.status_code).inc()
        SECONDS.labels(*asked).observe(time.perf_counter() - start)
        return response

    return middleware


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever shows METRICS_TOKEN as a bearer, and for superusers."""
    if _has_token(request) or request.user.is_authenticated:
        return _numbers(request)
    return redirect_to_login(request.path)


@require_GET
def _numbers(request: HttpRequest) -> HttpResponse:
    if not (_has_token(request) or request.user.is_superuser):
        raise PermissionDenied("Metrics are for superusers, and for whoever shows METRICS_TOKEN.")
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(shown.encode(), settings.METRICS_TOKEN.encode())


class House(Collector):
    """Asks the database at each scrape."""

    def describe(self) -> list[Metric]:
        return []  # or registering would ask the database

    def collect(self) -> Iterator[Metric]:
        yield from _queues()
        yield _job_times()
        made = GaugeMetricFamily("touchstone_judgements", "Judgements, superseded ones too.", labels=["source"])
        for row in monitoring.judgements():
            made.add_metric([row["source"]], row["n"])
        yield made
        leases = GaugeMetricFamily("touchstone_leases", "Tasks on raters' desks; late: run out.", labels=["state"])
        for state, n in monitoring.leases().items():
            leases.add_metric([state], n)
        yield leases
        yield GaugeMetricFamily("touchstone_open_slots", "Judgements wanted.", value=monitoring.open_slots())
        yield from _nodes()


def _queues() -> Iterator[Metric]:
    labels, now = ["queue", "state"], timezone.now()
    depth = GaugeMetricFamily("touchstone_jobs", "Jobs that have not ended.", labels=labels)
    age = GaugeMetricFamily("touchstone_oldest_job_seconds", "Age of the oldest such job.", labels=labels)
    for row in monitoring.queues():
        depth.add_metric([row["queue"], row["state"]], row["n"])
        age.add_metric([row["queue"], row["state"]], (now - row["oldest"]).total_seconds())
    yield from (depth, age)


def _job_times() -> Metric:
    family = HistogramMetricFamily("touchstone_job_seconds", "Seconds jobs took.", labels=["kind", "state"])
    for row in monitoring.job_times():
        within = [(str(float(most)), row[f"le_{most}"]) for most in monitoring.BUCKETS]
        family.add_metric(
            [row["kind"], row["state"]], [*within, ("+Inf", row["n"])], sum_value=row["seconds"].total_seconds()
        )
    return family


def _nodes() -> Iterator[Metric]:
    up = GaugeMetricFamily("touchstone_worker_up", "1: the worker beats, 0: it fell silent.", labels=["worker"])
    memory = GaugeMetricFamily(
        "touchstone_worker_memory_bytes", "Of a worker's host and accelerators.", labels=["worker", "kind"]
    )
    for node in monitoring.nodes():
        up.add_metric([node.name], 0 if is_stale(node) else 1)
        for kind in ("memory_used", "memory_total", "gpu_used", "gpu_total"):
            if (value := getattr(node, kind)) is not None:
                memory.add_metric([node.name, kind], value)
    yield from (up, memory)


REGISTRY.register(House())
