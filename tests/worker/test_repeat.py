"""A training once more: resumed from a checkpoint, relaunched with half the token budget, retried from its start."""

import pytest
from django.core.exceptions import ValidationError

from worker.models import Job
from worker.models.job import JobState
from worker.rm.batching import TRAIN_TOKENS
from worker.services.job import cancel, launch, retry
from worker.services.repeat import BUDGET, LEAST_BUDGET, can_resume, lighten, lighter_budget, resume, work_folder
from worker.store import artifacts

OUT = "OutOfMemoryError: CUDA out of memory. Tried to allocate 20 MiB"


def stopped(project, state=JobState.FAILED, error="", queue="gpu", **recipe):
    params = {"recipe": {"name": "lora"} | recipe, "backbone": "minilm", "snapshot": 1}
    job = launch(project=project, kind="train", params=params, queue=queue)
    Job.objects.filter(pk=job.pk).update(state=state, error=error)
    job.refresh_from_db()
    return job


def checkpoint(job):
    draft = artifacts().draft(f"{work_folder(job)}/step-50.safetensors")
    draft.write_bytes(b"weights")
    artifacts().publish(draft, f"{work_folder(job)}/step-50.safetensors")


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_a_stopped_tuning_goes_on_from_its_checkpoint(project, alice, state):
    job = stopped(project, state)
    checkpoint(job)
    again = resume(job=job, actor=alice)
    assert (again.origin, again.queue, again.created_by) == (job, "gpu", alice)
    assert again.params == job.params | {"resume": job.pk}


def test_a_resumed_job_that_stops_goes_on_in_the_same_folder(project):
    first = stopped(project)
    checkpoint(first)
    second = resume(job=first)
    cancel(job=second)
    second.refresh_from_db()
    third = resume(job=second)
    assert (third.params["resume"], third.origin) == (first.pk, second)
    assert work_folder(third) == work_folder(first)


def test_two_never_go_on_from_one_checkpoint(project):
    job = stopped(project)
    checkpoint(job)
    resume(job=job)
    with pytest.raises(ValidationError, match="goes on from its checkpoint already"):
        resume(job=job)


@pytest.mark.parametrize(
    ("state", "recipe", "kept"),
    [
        (JobState.DONE, {}, True),
        (JobState.QUEUED, {}, True),
        (JobState.FAILED, {"name": "heads"}, True),
        (JobState.FAILED, {}, False),
    ],
)
def test_nothing_to_go_on_from(project, state, recipe, kept):
    job = stopped(project, state, **recipe)
    if kept:
        checkpoint(job)
    assert not can_resume(job)
    with pytest.raises(ValidationError, match="no checkpoint"):
        resume(job=job)


def test_out_of_memory_is_launched_again_with_half_the_tokens(project, alice):
    job = stopped(project, error=OUT, tuning={"epochs": 2, "token_budget": 1000})
    again = lighten(job=job, actor=alice)
    assert again.params["recipe"] == {"name": "lora", "tuning": {"epochs": 2, "token_budget": 500}}
    assert (again.origin, again.params["backbone"]) == (job, "minilm")


@pytest.mark.parametrize(("queue", "device"), [("gpu", "cuda"), ("cpu", "cpu")])
def test_without_a_budget_half_of_what_the_training_takes_by_default(project, queue, device):
    assert lighter_budget(stopped(project, error=OUT, queue=queue)) == TRAIN_TOKENS[device] // 2 == BUDGET[queue] // 2


def test_the_budget_that_the_failure_names_is_halved(project):
    error = "OutOfMemoryError: out of memory with a token_budget of 8192: CUDA out of memory."
    assert lighter_budget(stopped(project, error=error)) == 4096


@pytest.mark.parametrize(
    ("error", "offered"),
    [
        (OUT, True),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", True),
        ("The worker died 3 times while it ran this job.", True),
        ("ValueError: line 3", False),
        ("", False),
    ],
)
def test_less_memory_is_offered_where_memory_was_short(project, error, offered):
    assert (lighter_budget(stopped(project, error=error)) is not None) is offered


def test_there_is_an_end_to_halving(project):
    job = stopped(project, error=OUT, tuning={"token_budget": LEAST_BUDGET})
    with pytest.raises(ValidationError):
        lighten(job=job)


def test_a_retry_begins_at_the_start_and_knows_its_origin(project):
    job = stopped(project)
    Job.objects.filter(pk=job.pk).update(params=job.params | {"resume": job.pk})
    job.refresh_from_db()
    again = retry(job=job)
    assert "resume" not in again.params
    assert again.origin == job
