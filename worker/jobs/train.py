"""Snapshot → dataset → trained model → version with metrics and a file; then its scoring and measuring are launched."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.utils import timezone

from annotate.models import Project
from worker.jobs.dataset import dataset_of
from worker.jobs.loading import model_of
from worker.jobs.metrics import finite, metrics_of
from worker.models import Job, Snapshot, Version
from worker.models.job import JobKind, JobState
from worker.progress import Progress
from worker.rm import backbone as backbones
from worker.rm import checkpoint, finetune, resume, scoring, spread, training, truncation
from worker.rm.recipe import Recipe
from worker.rm.training import Trained
from worker.rm.tuned import TunedModel
from worker.rm.types import Dataset, Example, Report
from worker.services.affected import note_withdrawals
from worker.services.job import launch
from worker.services.repeat import RUNNING, work_folder
from worker.services.standing import measure_new
from worker.store import artifacts

SUFFIX = ".safetensors"
TRAINERS = {"heads": training.fit, "lora": finetune.fit, "full": finetune.fit}
KEPT = timedelta(days=14)  # a checkpoint that nobody went on from
PROBES, CLOSE = 8, 1e-5
POINTS = 200  # of the loss curve that a version keeps; the job's events hold all


def run(job: Job, progress: Progress) -> dict:
    """params: snapshot (id), recipe (of rm.recipe), backbone (name); where given resume (id of the job it goes on
    from), warm (id of the version whose weights it begins with) and devices (how many; all accelerators otherwise)."""
    _sweep()
    snapshot = Snapshot.objects.get(pk=job.params["snapshot"], project=job.project)
    progress.report("reading the judgements", 0, 1)
    recipe = Recipe.model_validate(job.params["recipe"])
    data = _readable(dataset_of(snapshot), job.params["backbone"], recipe, progress)
    more = _warm(job, recipe) | _devices(job, recipe)
    trainer = spread.fit if "devices" in more else TRAINERS[recipe.name]
    with artifacts().working(work_folder(job), resume.NAME) as (folder, keep):
        places = {"cache_dir": settings.CACHE_DIR, "work_dir": folder, "report": _keeping(keep, progress.report)}
        trained = trainer(data, job.params["backbone"], recipe, **places, **more)
    result = publish(job, snapshot, recipe, data, trained, progress)
    artifacts().forget(work_folder(job))
    return result


def _keeping(keep: Callable[[], None], report: Report) -> Report:
    """Where hosts share a bucket, each checkpoint goes there, so that another host can go on from it."""

    def kept_and_reported(*told: object) -> None:
        keep()
        report(*told)

    return kept_and_reported


def _readable(data: Dataset, backbone: str, recipe: Recipe, progress: Progress) -> Dataset:
    """Without the examples that are too long, where the recipe leaves such out; what encoding does is told by name."""
    if recipe.name == "heads" and recipe.encoding.truncation != "drop":
        return data  # with embeddings in the cache, to tokenise all texts would take longer than the fit
    found = truncation.survey(data, backbones.load(backbone, recipe.encoding).encoder)
    for line in found.lines():
        progress.log(line)
    return truncation.kept(data, found)


def _warm(job: Job, recipe: Recipe) -> dict:
    """The model whose weights it begins with, if there is one."""
    if not job.params.get("warm"):
        return {}
    version = Version.objects.get(pk=job.params["warm"], project=job.project)
    model = model_of(version)
    if recipe.name == "heads" or not isinstance(model, TunedModel):
        raise ValueError(
            f"{version} has no weights to begin with: only lora and full start warm, from one of their own"
        )
    return {"warm": model}


def _devices(job: Job, recipe: Recipe) -> dict:
    """How many devices share the work, when there are several."""
    many = job.params.get("devices") or torch.cuda.device_count()
    return {"devices": many} if many > 1 and recipe.name != "heads" else {}


def publish(job: Job, snapshot: Snapshot, recipe: Recipe, data: Dataset, trained: Trained, progress: Progress) -> dict:
    """Write the file, read it back, and end the job with the version; or leave nothing behind."""
    version = _version(job, snapshot, recipe, data, trained)
    version.file = f"job{job.pk}-{job.claim}{SUFFIX}"
    draft = artifacts().draft(version.file)
    try:
        progress.report("saving", 0, 1, _measured(version))
        version.file_sha256 = checkpoint.save(trained.model, draft)
        prove(draft, trained, data.examples[:PROBES])
        artifacts().publish(draft, version.file, version.file_sha256)
        return progress.finish(lambda: _store(job, version))
    except (OperationalError, InterfaceError):
        raise  # the row may be there, if the database left at the last moment: a file without one is swept up later
    except BaseException:
        draft.unlink(missing_ok=True)
        artifacts().delete(version.file)
        raise


def _measured(version: Version) -> dict[str, float]:
    """The point that the job's page draws with its interval; {} where no held-out pair was decided."""
    found = version.metrics["pair_accuracy"]
    if found["value"] is None:
        return {}
    return {"held_out_accuracy": found["value"], "held_out_pairs": found["n"]}


def prove(path: Path, trained: Trained, examples: Sequence[Example]) -> None:
    """The saved file gives the scores of the model in memory; ValueError where it does not."""
    before, after = (
        scoring.score(model, examples, settings.CACHE_DIR) for model in (trained.model, checkpoint.load(path))
    )
    for head, values in before.heads.items():
        if not np.allclose(values, after.heads.get(head, np.nan), rtol=CLOSE, atol=CLOSE):
            raise ValueError(f"The saved model scores {head} unlike the trained one, so it was not kept; train again")


def _version(job: Job, snapshot: Snapshot, recipe: Recipe, data: Dataset, trained: Trained) -> Version:
    """The row to be, without its number and its file."""
    model = trained.model
    metrics = metrics_of(data, trained.held_out, model.temperature) | thinned(trained.info)
    metrics |= {"seconds": trained.seconds, "warm": bool(job.params.get("warm"))}
    return Version(
        project=job.project,
        recipe=recipe.model_dump(mode="json"),
        snapshot=snapshot,
        trained_by=job,
        backbone=model.backbone_name,
        encode_hash=model.encode_hash,
        heads=list(model.heads),
        metrics=finite(metrics),
        temperature=model.temperature,
        mean=model.mean,
        std=model.std,
    )


def thinned(info: Mapping) -> dict:
    """With means over equal stretches of steps where the loss curve is long."""
    curve = np.array(info.get("loss", []))
    short = [float(part.mean()) for part in np.array_split(curve, min(POINTS, len(curve)))] if len(curve) else []
    return {**info, "loss": short}


def _sweep() -> None:
    """Remove what runs that died left: files named by no version and by no claim in force, and old checkpoints.

    In this order: whoever finishes while we look is either still running or named.
    """
    store = artifacts()
    files = [name for name in store.listdir("")[1] if name.startswith("job")]
    claims = set(Job.objects.filter(state=JobState.RUNNING).values_list("claim", flat=True))
    named = set(Version.objects.values_list("file", flat=True))
    for name in files:
        if name not in named and _claim_in(name) not in claims:
            store.delete(name)
    for folder in store.listdir(RUNNING)[0]:
        if not _wanted(folder):
            store.forget(f"{RUNNING}/{folder}")
    store.sweep()


def _claim_in(name: str) -> str:
    """job17-CLAIM.safetensors, or the same name while it is written."""
    return name.partition("-")[2].partition(".")[0]


def _wanted(folder: str) -> bool:
    """Whether a job may still go on from the checkpoint in the folder job17."""
    number = folder.removeprefix("job")
    if not number.isdecimal():
        return True  # none of ours
    pk = int(number)
    own = Job.objects.filter(Q(pk=pk) | Q(params__resume=pk), kind=JobKind.TRAIN)
    fresh = own.filter(finished_at__gt=timezone.now() - KEPT)
    stopped = fresh.exclude(state=JobState.DONE).exists() and not own.filter(state=JobState.DONE).exists()
    return stopped or own.unfinished().exists()


def _store(job: Job, version: Version) -> dict:
    """The version row, its scoring and a measuring on each suite, in the transaction that ends the job."""
    Project.objects.select_for_update(no_key=True).get(pk=job.project_id)  # two trainings at once get two numbers
    version.parent = job.project.versions.first()
    version.number = version.parent.number + 1 if version.parent else 1
    version.save()
    note_withdrawals(project=job.project)  # what was taken back while it was trained, or from what it began with
    Job.objects.filter(pk=job.pk).update(version=version)
    params = {"version": version.pk}
    score = launch(project=job.project, kind=JobKind.SCORE, params=params, actor=job.created_by, queue=job.queue)
    measured = measure_new(version=version, actor=job.created_by, queue=job.queue)
    told = {"suite_jobs": [one.pk for one in measured]} if measured else {}
    return {"version": str(version), "number": version.number, "score_job": score.pk} | told
