"""A real Celery worker: killed, its job is taken up again; delivered twice, a job runs once; cancelled, it stops."""

import contextlib
import json
import os
from uuid import uuid4

import pytest

from tests.migrated import on_sqlite
from tests.site import Site

REDIS = "redis://127.0.0.1:6379/0"
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"
QUICK = {"JOB_HEARTBEAT_SECONDS": "0.2", "JOB_STALE_SECONDS": "8"}


def absent(service: str, error: Exception) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {service}: {error}")


@pytest.fixture
def queue():
    return f"t{uuid4().hex[:12]}"


def live(folder, queue: str, **environment: str) -> dict:
    """The story told by drive.main beside one worker on this queue."""
    site = Site(folder, TEST_QUEUE=queue, **QUICK, **environment)
    with contextlib.ExitStack() as stack:
        stack.callback(site.__exit__)
        worker = ["-A", "tests.worker.app", "worker", "-B", "-Q", queue, "-c", "1", "-n", queue, "--loglevel", "ERROR"]
        site.start("-m", "celery", *worker)
        return json.loads(site.run("from tests.worker.drive import main; main()").splitlines()[-1])


def check(told: dict) -> None:
    assert told["killed"]["states"] == ["queued", "running", "queued", "running", "done"]
    assert (told["killed"]["attempt"], told["killed"]["wrote"]) == (2, 1)
    assert (told["twice"]["attempt"], told["twice"]["wrote"]) == (1, 1)
    assert told["stopped"]["states"] == ["queued", "running", "cancelled"]
    assert told["stopped"]["done"] < 5000
    assert told["numbers"] == list(range(1, 63))  # queued, running, 2 × 30 lines


def test_without_any_service(tmp_path, queue):
    check(live(tmp_path, queue, DATABASE_URL=on_sqlite(tmp_path / "touchstone.sqlite3")))


@pytest.fixture
def redis_url(queue):
    import redis

    server = redis.Redis.from_url(REDIS)
    try:
        server.ping()
    except redis.RedisError as error:
        absent("Redis", error)
    yield REDIS
    server.delete(queue, f"_kombu.binding.{queue}", f"{queue}\x06\x163", f"{queue}\x06\x166", f"{queue}\x06\x169")


@pytest.mark.service
def test_over_redis_and_postgresql(tmp_path, queue, postgres, redis_url):
    check(live(tmp_path, queue, DATABASE_URL=postgres, REDIS_URL=redis_url))


@pytest.fixture
def rabbitmq(queue):
    import kombu
    from kombu.exceptions import OperationalError

    connection = kombu.Connection(RABBITMQ, connect_timeout=30)
    try:
        connection.ensure_connection(max_retries=1)
    except (OperationalError, OSError) as error:
        absent("RabbitMQ", error)
    yield RABBITMQ
    channel = connection.channel()
    channel.queue_delete(queue)
    channel.exchange_delete(queue)
    connection.release()


@pytest.mark.service
def test_over_rabbitmq_and_postgresql_with_redis_for_live_pages_alone(tmp_path, queue, postgres, rabbitmq, redis_url):
    import redis

    check(live(tmp_path, queue, DATABASE_URL=postgres, BROKER_URL=rabbitmq, REDIS_URL=redis_url))
    assert not redis.Redis.from_url(redis_url).exists(f"_kombu.binding.{queue}")  # no job went that way


@pytest.mark.service
def test_over_postgresql_alone(tmp_path, queue, postgres):
    check(live(tmp_path, queue, DATABASE_URL=postgres))
