"""Fine-tuning as a job: one version, complete and proved, or a clear failure and nothing left."""

import io
import json
import shutil
from datetime import timedelta

import pytest
import torch
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone

from tests.worker.rm import tiny
from worker.jobs import train
from worker.models import Job, Version
from worker.progress import Progress
from worker.rm import checkpoint, run, scoring
from worker.rm.recipe import Recipe, Tuning
from worker.services.average import start_average
from worker.services.claim import LostClaim, claim
from worker.services.job import HERE, launch, reap, run_now
from worker.services.training import start_training
from worker.words import checks


class Killed(BaseException):
    """As if the process ended here."""


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return str(tiny.llama(tmp_path_factory.mktemp("llama"), ["Where is the museum? Beside the river. Bananas"]))


def start(project, llama, name="full", **more):
    own = {"epochs": 2, "save_every": 1, "learning_rate": 1e-3} | more.pop("tuning", {})
    return start_training(
        project=project, recipe=Recipe(name=name, tuning=Tuning(**own)), backbone=llama, queue=HERE, **more
    )


def die_at(monkeypatch, wanted, stage="train"):
    """The process ends when the report says that stage and step."""
    report = Progress.report

    def dying(self, said, done, total, metrics=None):
        report(self, said, done, total, metrics)
        if said == stage and done >= wanted:
            raise Killed

    monkeypatch.setattr(Progress, "report", dying)


def age():
    Job.objects.filter(state="running").update(heartbeat_at=timezone.now() - timedelta(hours=1))


def left(settings):
    return [path for path in settings.ARTIFACT_DIR.rglob("*") if path.is_file()]


def losses(job):
    points = [event.data for event in job.events.filter(kind="metric") if event.data["stage"] == "train"]
    return {point["step"]: point["loss"] for point in points}


@pytest.mark.parametrize("name", ["full", "lora"])
def test_a_tuned_version_scores_and_tells_its_story(judged, llama, settings, name):
    job = run_now(start(judged, llama, name))
    assert job.state == "done", job.error
    version = Version.objects.get()
    assert version.recipe["name"] == name
    assert version.metrics["step0_loss"] == pytest.approx(0.6931, abs=1e-3)
    assert version.heads == ["preference", "attribute:helpful", "segment:wrong"]
    point = job.events.filter(kind="metric").first().data
    assert {"loss", "accuracy", "step", "epoch", "tokens_per_second", "padding", "memory_mb"} <= set(point)
    assert [path.name for path in left(settings)] == [version.file]
    assert run_now(Job.objects.get(pk=job.result["score_job"])).state == "done"
    assert version.scores.filter(head="preference").count() == 80


def test_a_head_that_is_not_saved_fails_the_job(judged, llama, settings, monkeypatch):
    whole = checkpoint._of_tuned

    def headless(model):
        tensors, *rest = whole(model)
        return {name: value for name, value in tensors.items() if not name.startswith("heads.")}, *rest

    monkeypatch.setattr(checkpoint, "_of_tuned", headless)
    job = run_now(start(judged, llama, "lora"))
    assert (job.state, Version.objects.count()) == ("failed", 0)
    assert "does not hold what this model needs: heads." in job.error
    assert not [path for path in left(settings) if path.parent == settings.ARTIFACT_DIR]


def test_a_head_that_is_saved_wrong_fails_the_job(judged, llama, monkeypatch):
    whole = checkpoint._of_tuned

    def turned(model):
        tensors, *rest = whole(model)
        return tensors | {"heads.preference.weight": -tensors["heads.preference.weight"]}, *rest

    monkeypatch.setattr(checkpoint, "_of_tuned", turned)
    job = run_now(start(judged, llama))
    assert (job.state, Version.objects.count()) == ("failed", 0)
    assert "scores preference unlike the trained one" in job.error


def test_out_of_memory_says_which_budget_was_tried(judged, llama, monkeypatch):
    def short(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(run.Run, "_piece", short)
    job = run_now(start(judged, llama, tuning={"token_budget": 640}))
    assert job.error.startswith("OutOfMemoryError: out of memory with a token_budget of 640")
    assert "token budget" in job.advice


def test_a_full_disk_fails_clearly_and_leaves_no_half_file(judged, llama, settings, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.rm.checkpoint.os.fsync", full)
    job = run_now(start(judged, llama, tuning={"save_every": 1000}))
    assert (job.state, Version.objects.count()) == ("failed", 0)
    assert "No space left" in job.error
    assert left(settings) == []


@pytest.mark.parametrize(
    ("stage", "step"), [("tokenise", 0), ("train", 1), ("train", 3), ("held out", 0), ("saving", 0)]
)
def test_whenever_the_worker_dies_its_heir_makes_one_version(judged, llama, settings, monkeypatch, stage, step):
    job = start(judged, llama)
    with monkeypatch.context() as patch:
        die_at(patch, step, stage)
        with pytest.raises(Killed):
            run_now(job)
    age()
    reap()
    again = run_now(Job.objects.get(pk=job.pk))
    assert (again.state, again.attempt, Version.objects.count()) == ("done", 2, 1)
    assert [path.name for path in left(settings)] == [Version.objects.get().file]


def test_the_heir_goes_on_where_the_dead_was(judged, llama, monkeypatch):
    whole = run_now(start(judged, llama))
    job = start(judged, llama)
    with monkeypatch.context() as patch:
        die_at(patch, 4)
        with pytest.raises(Killed):
            run_now(job)
    before = losses(job)
    age()
    reap()
    again = run_now(Job.objects.get(pk=job.pk))
    assert losses(again).items() <= losses(whole).items()
    assert max(before) < max(losses(again))
    assert Version.objects.first().metrics["loss"] == Version.objects.last().metrics["loss"]


def test_of_two_workers_the_one_that_lost_its_claim_leaves_nothing(judged, llama, settings):
    job = start(judged, llama)
    zombie = claim(job.pk)
    assert claim(job.pk) is None
    age()
    reap()
    heir = claim(job.pk)
    assert train.run(heir, Progress(heir))["number"] == 1
    with pytest.raises(LostClaim):
        train.run(zombie, Progress(zombie))
    assert Version.objects.count() == 1
    assert [path.name for path in left(settings)] == [Version.objects.get().file]


def test_another_job_goes_on_from_a_stopped_one(judged, llama, settings, monkeypatch):
    first = start(judged, llama)
    with monkeypatch.context() as patch:
        patch.setattr("worker.services.job.Cancelled", Killed)
        die_at(patch, 3)
        assert run_now(first).state == "cancelled"
    assert (settings.ARTIFACT_DIR / "running" / f"job{first.pk}").is_dir()
    params = first.params | {"resume": first.pk}
    second = run_now(launch(project=judged, kind="train", params=params, queue=HERE))
    assert second.state == "done", second.error
    assert min(losses(second)) > 1
    assert not (settings.ARTIFACT_DIR / "running" / f"job{first.pk}").exists()


def test_checkpoints_of_jobs_that_are_gone_are_swept(judged, settings):
    folder = settings.ARTIFACT_DIR / "running" / "job999999"
    folder.mkdir(parents=True)
    train._sweep()
    assert not folder.exists()


def test_a_warm_start_begins_with_the_weights_of_a_version(judged, llama, settings):
    run_now(start(judged, llama))
    version = Version.objects.get()
    job = run_now(start(judged, llama, warm=version.pk, tuning={"learning_rate": 1e-12}))
    assert job.state == "done", job.error
    models = [checkpoint.load(settings.ARTIFACT_DIR / one.file) for one in Version.objects.all()]
    name = "heads.preference.weight"
    torch.testing.assert_close(models[0].tensors[name], models[1].tensors[name], atol=1e-6, rtol=0)
    assert models[1].tensors[name].abs().max() > 0
    assert [one.metrics["warm"] for one in Version.objects.order_by("number")] == [False, True]
    assert all(check.good for one in Version.objects.all() for check in checks(one.metrics))


def test_heads_and_other_trainers_do_not_start_warm(judged, llama):
    run_now(start(judged, llama))
    warm = Version.objects.get().pk
    heads = run_now(start_training(project=judged, queue=HERE, warm=warm))
    lora = run_now(start(judged, llama, "lora", warm=warm))
    assert "only lora and full start warm" in heads.error
    assert "same trainer" in lora.error


def test_versions_are_averaged_into_one(judged, llama, settings):
    for seed in (1, 2):
        run_now(start(judged, llama, tuning={"seed": seed}))
    versions = list(Version.objects.all())
    job = run_now(start_average(versions=versions, queue=HERE))
    assert job.state == "done", job.error
    models = [checkpoint.load(settings.ARTIFACT_DIR / one.file) for one in Version.objects.all()]
    name = "heads.preference.weight"
    torch.testing.assert_close(models[0].tensors[name], (models[1].tensors[name] + models[2].tensors[name]) / 2)


def test_versions_are_averaged_from_the_shell(judged, llama):
    for seed in (1, 2):
        run_now(start(judged, llama, "lora", tuning={"seed": seed}))
    told = io.StringIO()
    call_command("average", *(str(version) for version in Version.objects.all()), "--wait", "--json", stdout=told)
    assert json.loads(told.getvalue())["number"] == 3


def test_several_devices_make_one_version(judged, llama, settings):
    job = run_now(start(judged, llama, devices=2, tuning={"epochs": 1}))
    assert job.state == "done", job.error
    assert Version.objects.get().metrics["devices"] == 2
    assert [path.name for path in left(settings)] == [Version.objects.get().file]


def test_what_cannot_be_averaged_is_refused(judged, llama):
    run_now(start(judged, llama))
    run_now(start(judged, llama, "lora"))
    full, lora = Version.objects.order_by("number")
    for versions, line in (([full, full], "at least two"), ([full, lora], "one trainer")):
        with pytest.raises(ValidationError, match=line):
            start_average(versions=versions)
    gone = run_now(launch(project=judged, kind="average", params={"versions": [full.pk, 10**6]}, queue=HERE))
    assert "is gone" in gone.error


def test_a_bad_backbone_is_one_clear_line(judged, tmp_path):
    shutil.copytree(tiny.qwen(tmp_path / "qwen", ["abc"]), tmp_path / "broken")
    (tmp_path / "broken" / "model.safetensors").unlink()
    params = {"recipe": {"name": "full"}, "backbone": str(tmp_path / "broken")}
    job = start(judged, str(tmp_path / "qwen"))
    Job.objects.filter(pk=job.pk).update(params=job.params | params)
    assert run_now(Job.objects.get(pk=job.pk)).state == "failed"
    assert Version.objects.count() == 0


def test_a_version_s_file_scores_alike_alone_and_in_company(judged, llama, settings):
    run_now(start(judged, llama, "lora", tuning={"shared_prefix": True}))
    model = checkpoint.load(settings.ARTIFACT_DIR / Version.objects.get().file)
    from worker.jobs.dataset import dataset_of

    examples = dataset_of(Version.objects.get().snapshot).examples[:6]
    together = scoring.score(model, examples).heads["preference"]
    alone = [scoring.score(model, [one]).heads["preference"][0] for one in examples]
    assert together == pytest.approx(alone, abs=1e-5)
