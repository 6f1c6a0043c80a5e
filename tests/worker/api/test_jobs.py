import threading
from unittest import mock

import pytest

from tests.worker.api.conftest import JOBS
from tests.worker.conftest import judged  # noqa: F401
from worker.api import jobs as module
from worker.models import Backbone, Job
from worker.services.claim import append_events, claim, end
from worker.services.job import launch


@pytest.fixture
def job(project, alice):
    return launch(project=project, kind="score", params={"file": "secret name"}, actor=alice)


def test_jobs_come_the_newest_first_by_kind_and_state_page_by_page(api, project, job):
    others = [launch(project=project, kind="train", params={}) for _ in range(3)]
    status, first = api.get(JOBS, limit=2)
    assert status == 200
    assert [one["id"] for one in first["items"]] == [others[2].pk, others[1].pk]
    launch(project=project, kind="train", params={})  # what comes meanwhile moves nothing
    _, second = api.get(JOBS, limit=2, cursor=first["next"])
    assert [one["id"] for one in second["items"]] == [others[0].pk, job.pk]
    assert second["next"] is None
    assert [one["id"] for one in api.get(JOBS, kind="score", state="queued")[1]["items"]] == [job.pk]
    assert api.get(JOBS, state="done")[1]["items"] == []


@pytest.mark.parametrize("query", [{"kind": "evil"}, {"state": "evil"}, {"cursor": "x"}, {"limit": 0}, {"sort": "id"}])
def test_filters_are_of_a_list_and_nothing_else(api, query):
    status, said = api.get(JOBS, **query)
    assert status == 422
    assert said["errors"][0]["field"] == next(iter(query))


def test_one_job_says_how_it_is_and_hides_names_of_files(api, job):
    Job.objects.filter(pk=job.pk).update(state="running", done=5, total=20, result={"result": "name", "lines": 3})
    status, said = api.get(f"{JOBS}/{job.pk}")
    assert status == 200
    assert (said["kind"], said["state"], said["percent"], said["created_by"]) == ("score", "running", 25, "alice")
    assert said["result"] == {"lines": 3}
    assert "secret name" not in str(said)


def test_events_past_a_number_come_once_and_in_order(api, job):
    append_events(job.pk, [("log", {"text": "one"}), ("metric", {"loss": 0.5})])
    _, said = api.get(f"{JOBS}/{job.pk}/events")
    assert [event["kind"] for event in said["events"]] == ["state", "log", "metric"]
    assert said["events"][2]["data"] == {"loss": 0.5}
    assert (said["last"], said["ended"]) == (3, False)
    assert api.get(f"{JOBS}/{job.pk}/events", after=3)[1]["events"] == []


def test_an_ended_job_is_ended_only_with_its_last_event(api, job, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    end(claim(job.pk), "done")
    first = api.get(f"{JOBS}/{job.pk}/events")[1]
    assert (len(first["events"]), first["ended"]) == (2, False)
    second = api.get(f"{JOBS}/{job.pk}/events", after=first["last"])[1]
    assert [event["data"] for event in second["events"]] == [{"state": "done"}]
    assert second["ended"] is True


def test_who_waits_hears_of_the_next_event(api, job, settings):
    settings.SOCKET_LOOK_SECONDS = 0.01
    looks = iter([lambda: None, lambda: append_events(job.pk, [("log", {"text": "now"})])])
    with mock.patch.object(module.time, "sleep", side_effect=lambda _: next(looks)()):
        _, said = api.get(f"{JOBS}/{job.pk}/events", after=1, wait=20)
    assert [event["data"]["text"] for event in said["events"]] == ["now"]


def test_who_waits_for_nothing_is_answered_in_time(api, job):
    clock = iter(range(0, 1000, 10))
    with mock.patch.multiple(module.time, sleep=mock.DEFAULT, monotonic=lambda: next(clock)):
        _, said = api.get(f"{JOBS}/{job.pk}/events", after=1, wait=20)
    assert (said["events"], said["last"], said["ended"]) == ([], 1, False)


def test_waiting_never_takes_the_threads_that_the_site_lives_by(api, job, monkeypatch):
    monkeypatch.setattr(module, "WAITING", threading.BoundedSemaphore(0))
    with mock.patch.object(module.time, "sleep", side_effect=AssertionError("it waited")):
        assert api.get(f"{JOBS}/{job.pk}/events", after=1, wait=20)[0] == 200


def test_a_job_is_cancelled_and_launched_again(api, job):
    assert api.post(f"{JOBS}/{job.pk}/retry")[0] == 409
    assert api.post(f"{JOBS}/{job.pk}/cancel")[1]["state"] == "cancelled"
    status, again = api.post(f"{JOBS}/{job.pk}/retry")
    assert (status, again["state"], again["origin"]) == (202, "queued", job.pk)
    status, said = api.post(f"{JOBS}/{job.pk}/resume")
    assert (status, "checkpoint" in said["detail"]) == (409, True)
    status, said = api.post(f"{JOBS}/{job.pk}/lighter")
    assert (status, "memory" in said["detail"]) == (409, True)


def test_a_training_that_ran_out_of_memory_is_made_lighter(api, project):
    params = {"recipe": {"name": "lora", "tuning": {"token_budget": 512}}}
    job = launch(project=project, kind="train", params=params)
    Job.objects.filter(pk=job.pk).update(state="failed", error="CUDA out of memory")
    status, said = api.post(f"{JOBS}/{job.pk}/lighter")
    assert (status, said["recipe"]["tuning"]) == (202, {"token_budget": 256})


# ---- Launching a training

TRAIN = "/projects/answers/train"


def test_a_training_is_launched_with_what_was_changed(api, judged):  # noqa: F811
    status, said = api.post(TRAIN, {"trainer": "lora", "overrides": {"tuning.epochs": 2}, "queue": "gpu"})
    assert status == 202
    assert (said["kind"], said["queue"], said["recipe"]) == ("train", "gpu", {"name": "lora", "tuning": {"epochs": 2}})
    assert judged.snapshots.count() == 1


WRONG = [
    ({"trainer": "magic"}, "name"),
    ({"overrides": {"tuning.epoch": 2}}, "tuning.epoch"),
    ({"trainer": "lora", "overrides": {"tuning.epochs": 0}}, "tuning.epochs"),
    ({"trainer": "lora", "overrides": {"tuning.epochs": [[1]]}}, "tuning.epochs"),
    ({"overrides": {"tuning.epochs": 2}}, "tuning.epochs"),  # heads move no weights
    ({"overrides": {"name": "lora"}}, "name"),
    ({"overrides": {"extras.gate": True, "extras.verbosity": "no such"}}, "extras.verbosity"),
    ({"backbone": "/etc"}, "backbone"),
    ({"backbone": "someone/else"}, "backbone"),
    ({"queue": "here"}, "queue"),
    ({"steps": 3}, "steps"),
]


def test_what_is_wrong_in_a_recipe_is_said_under_its_name_and_nothing_is_written(api, judged):  # noqa: F811
    for sent, field in WRONG:
        status, said = api.post(TRAIN, sent)
        assert (status, [one["field"] for one in said["errors"]]) == (422, [field]), sent
    assert not judged.jobs.exists()
    assert not judged.snapshots.exists()


def test_too_little_to_learn_from_is_said_as_the_form_says_it(api):
    status, said = api.post(TRAIN, {})
    assert status == 422
    assert "comparisons" in str(said["errors"])


def test_a_registered_backbone_goes_by_its_name(api, judged):  # noqa: F811
    about = {"causal": False, "architecture": "x", "parameters": 1, "width": 1, "layers": 1, "context_length": 1}
    Backbone.objects.create(name="small", source="/srv/small", sha256="0" * 64, **about)
    assert api.post(TRAIN, {"backbone": "small"})[0] == 202
    assert judged.jobs.get().params["backbone"] == "/srv/small"


def test_the_same_key_launches_one_training(api, judged):  # noqa: F811
    first = api.post(TRAIN, {}, **{"Idempotency-Key": "k1"})
    assert api.post(TRAIN, {}, **{"Idempotency-Key": "k1"}) == first
    assert judged.jobs.count() == 1


def test_a_researcher_looks_and_launches_nothing(program, researcher, job):
    looks = program(researcher)
    assert looks.get(f"{JOBS}/{job.pk}")[0] == 200
    assert looks.post(f"{JOBS}/{job.pk}/cancel")[0] == 403
    assert looks.post(TRAIN, {})[0] == 403
    job.refresh_from_db()
    assert job.state == "queued"
