"""Probes: no sign-in, no host, no HTTPS; ready only while requests can be answered."""

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from config import health
from worker.services.node import beat


@pytest.fixture(autouse=True)
def _not_kept():
    health._migrated.cache_clear()
    yield
    health._migrated.cache_clear()


def test_alive_needs_nothing(client):
    response = client.get("/healthz", headers={"host": "10.0.0.7"})
    assert (response.status_code, response.json()) == (200, {"alive": True})
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_ready_says_what_it_looked_at(client, settings):
    settings.REDIS_URL, settings.BROKER_URL = "", "filesystem://localhost"
    beat(name="host:1", device="cpu", queues=["cpu"], started_at=timezone.now())
    response = client.get("/readyz", headers={"host": "10.0.0.7"})
    assert response.status_code == 200
    assert response.json() == {"ready": True, "checks": {"database": "ok", "migrations": "ok", "workers": "ok"}}


@pytest.mark.django_db
def test_without_a_worker_it_is_ready_and_says_so(client):
    checks = client.get("/readyz").json()["checks"]
    assert checks["workers"] == "none seen for a minute: jobs wait"


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_not_ready(client, monkeypatch):
    def refused():
        raise OperationalError("connection to server at 10.1.2.3 refused")

    monkeypatch.setattr(connection, "cursor", refused)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["ready"] is False
    assert response.json()["checks"]["database"] == "does not answer"
    assert b"10.1.2.3" not in response.content


@pytest.mark.django_db
def test_before_its_migrations_it_is_not_ready(client):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'worker'")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"].endswith("missing: run manage.py migrate")


@pytest.mark.django_db
def test_lost_nudges_make_it_slower_and_not_unready(client, settings):
    settings.REDIS_URL, settings.BROKER_URL = "redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.REDIS_URL}
    }
    response = client.get("/readyz")
    assert response.status_code == 200
    checks = response.json()["checks"]
    assert checks["redis"].startswith("does not answer")
    assert checks["broker"].startswith("does not answer")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_read(client, path):
    assert client.post(path).status_code == 405
