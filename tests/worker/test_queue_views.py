"""The queue page: places, workers, and a queue that nobody serves. Roles: tests/test_permissions.py."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from annotate.services.project import create_project
from worker.machine import code_version
from worker.models import Job, Node
from worker.models.job import JobState
from worker.services.job import launch
from worker.services.node import beat
from worker.services.queue import places, workers

URL = "/p/answers/queue/"


@pytest.fixture
def page(client_of, alice, project):
    return lambda **more: client_of(alice).get(URL, **more).content.decode()


def serve(name="host:1", *queues, **more):
    return beat(name=name, device="cpu, 2 threads", queues=list(queues), started_at=timezone.now(), **more)


def test_an_empty_queue_without_workers_says_how_to_start_one(page):
    assert "Nothing runs and nothing waits" in page()
    assert "celery -A config worker" in page()


def test_a_queue_that_nobody_serves_is_said_plainly(page, project):
    serve("host:1", "cpu")
    launch(project=project, kind="train", params={}, queue="cpu")
    assert "No worker serves" not in page()
    launch(project=project, kind="train", params={}, queue="gpu")
    assert "No worker serves <strong>gpu</strong>: start one with" in page()
    assert "-Q gpu" in page()


def test_a_stale_worker_serves_nothing_and_is_marked(page, project):
    serve("host:1", "cpu")
    Node.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    launch(project=project, kind="train", params={})
    shown = page()
    seen = Node.objects.get().seen_at
    assert f"not answering</span> since {date_format(timezone.localtime(seen), 'j M H:i:s')}" in shown
    assert "No worker serves <strong>cpu</strong>" in shown


def test_each_worker_shows_its_memory_and_whether_it_runs_other_code(page):
    serve("host:1", "cpu", memory_used=3 * 2**30, memory_total=8 * 2**30, version=code_version())
    shown = page()
    assert "3.0\xa0GB of 8.0\xa0GB" in shown
    assert "GPU" not in shown
    assert "other code" not in shown
    gpu = {"gpu_used": 2**30, "gpu_total": 80 * 2**30}
    serve("host:2", "gpu", memory_used=1, memory_total=2, version="0123456789ab", **gpu)
    assert "GPU 1.0\xa0GB of 80.0\xa0GB" in page()
    assert page().count("other code") == 1


def test_the_admin_lists_workers_and_what_each_does(client_of, django_user_model, project):
    serve("host:1", "cpu", memory_used=3 * 2**30, memory_total=8 * 2**30, gpu_used=2**30, gpu_total=80 * 2**30)
    job = launch(project=project, kind="train", params={})
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, worker="host:1")
    root = django_user_model.objects.create_superuser("root", password="root-pass-phrase")
    shown = client_of(root).get("/admin/worker/node/").content.decode()
    for said in ("host:1", "3.0\xa0GB of 8.0\xa0GB", "1.0\xa0GB of 80.0\xa0GB", f"train job {job.pk}", 'alt="True"'):
        assert said in shown


def test_places_count_by_queue_over_all_projects(page, project, alice):
    other = create_project(slug="other", name="Other", actor=alice)
    first = launch(project=other, kind="train", params={})
    launch(project=project, kind="train", params={}, queue="gpu")
    second, third = [launch(project=project, kind="train", params={}) for _ in range(2)]
    assert {pk: places()[pk] for pk in (first.pk, second.pk, third.pk)} == {first.pk: 1, second.pk: 2, third.pk: 3}
    shown = page()
    assert f"train {first.pk}<" not in shown
    for place in ("next", "2nd", "3rd"):
        assert f"<td>{place}</td>" in shown


def test_what_a_worker_does_is_shown_but_not_of_another_project(page, project, alice):
    serve("host:1", "cpu")
    job = launch(project=project, kind="train", params={})
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, worker="host:1")
    assert page().count(f"train {job.pk}</a>") == 2
    other = create_project(slug="other", name="Other", actor=alice)
    Job.objects.filter(pk=job.pk).update(project=other)
    assert "a job of another project" in page()
    assert f"train {job.pk}" not in page()


@pytest.mark.django_db
def test_living_workers_stand_first():
    serve("a", "cpu")
    serve("b", "cpu")
    Node.objects.filter(name="a").update(seen_at=timezone.now() - timedelta(minutes=5))
    assert [worker.node.name for worker in workers()] == ["b", "a"]


def test_htmx_gets_the_part_that_changes(page):
    fragment = page(headers={"HX-Request": "true"})
    assert "<html" not in fragment
    assert 'id="now"' in fragment
