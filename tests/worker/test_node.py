"""Worker processes on the queue page: alive, stale, forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from worker.models import Node
from worker.services import node

NOW = timezone.now()


def beat(name="host:1", **fields):
    return node.beat(**{"name": name, "device": "cpu, 2 threads", "queues": ["cpu"], "started_at": NOW} | fields)


@pytest.mark.django_db
def test_a_node_is_one_row_however_often_it_beats():
    beat()
    beat(queues=["cpu", "gpu"])
    assert Node.objects.get().queues == ["cpu", "gpu"]


@pytest.mark.django_db
def test_one_that_missed_its_beats_is_stale(settings):
    settings.JOB_STALE_SECONDS = 15
    found = beat()
    assert not node.is_stale(found)
    assert not node.is_stale(found, found.seen_at + timedelta(seconds=14))
    assert node.is_stale(found, found.seen_at + timedelta(seconds=16))


@pytest.mark.django_db
def test_after_a_day_a_dead_one_is_forgotten_and_a_living_one_leaves_by_itself():
    beat("host:1")
    Node.objects.update(seen_at=timezone.now() - timedelta(hours=25))
    beat("host:2")
    assert [one.name for one in Node.objects.all()] == ["host:2"]
    node.leave(name="host:2")
    assert not Node.objects.exists()
