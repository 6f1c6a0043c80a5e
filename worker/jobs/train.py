"""Snapshot → dataset → fitted heads → version with metrics and a file; then its scoring is launched."""

from django.conf import settings

from annotate.models import Project
from worker.jobs.dataset import dataset_of
from worker.jobs.metrics import metrics_of
from worker.models import Job, Snapshot, Version
from worker.models.job import JobKind, JobState
from worker.progress import Progress
from worker.rm import backbone as backbones
from worker.rm import checkpoint
from worker.rm.recipe import Recipe
from worker.rm.training import Trained, fit_heads
from worker.rm.types import Dataset
from worker.services.job import launch

SUFFIX = ".safetensors"


def run(job: Job, progress: Progress) -> dict:
    """params: snapshot (id), recipe (of rm.recipe), backbone (name)."""
    _sweep()
    snapshot = Snapshot.objects.get(pk=job.params["snapshot"], project=job.project)
    progress.report("loading the backbone", 0, 1)
    backbone = backbones.load(job.params["backbone"])
    data, recipe = dataset_of(snapshot), Recipe.model_validate(job.params["recipe"])
    trained = fit_heads(data, backbone, recipe, settings.CACHE_DIR, progress.report)
    version = _version(job, snapshot, recipe, data, trained)
    version.file = f"job{job.pk}-{job.claim}{SUFFIX}"
    path = settings.ARTIFACT_DIR / version.file
    try:
        version.file_sha256 = checkpoint.save(trained.model, path)
        return progress.finish(lambda: _store(job, version))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _version(job: Job, snapshot: Snapshot, recipe: Recipe, data: Dataset, trained: Trained) -> Version:
    """The row to be, without its number and its file."""
    model = trained.model
    metrics = metrics_of(data, trained.held_out, model.temperature)
    return Version(
        project=job.project,
        recipe=recipe.model_dump(mode="json"),
        snapshot=snapshot,
        trained_by=job,
        backbone=model.backbone_name,
        encode_hash=model.encode_hash,
        heads=list(model.heads),
        metrics=metrics | trained.info | {"seconds": trained.seconds},
        temperature=model.temperature,
        mean=model.mean,
        std=model.std,
    )


def _sweep() -> None:
    """Remove files of runs that died: named by no version and by no claim in force.

    In this order: whoever finishes while we look is either still running or named.
    """
    files = list(settings.ARTIFACT_DIR.glob("job*-*"))
    claims = set(Job.objects.filter(state=JobState.RUNNING).values_list("claim", flat=True))
    named = set(Version.objects.values_list("file", flat=True))
    for path in files:
        if path.name not in named and _claim_in(path.name) not in claims:
            path.unlink(missing_ok=True)


def _claim_in(name: str) -> str:
    """job17-CLAIM.safetensors, or the same name while it is written."""
    return name.partition("-")[2].partition(".")[0]


def _store(job: Job, version: Version) -> dict:
    """The version row and the scoring job, in the transaction that ends the train job."""
    Project.objects.select_for_update().get(pk=job.project_id)  # two trainings at once get two numbers
    version.parent = job.project.versions.first()
    version.number = version.parent.number + 1 if version.parent else 1
    version.save()
    Job.objects.filter(pk=job.pk).update(version=version)
    params = {"version": version.pk}
    score = launch(project=job.project, kind=JobKind.SCORE, params=params, actor=job.created_by, queue=job.queue)
    return {"version": str(version), "number": version.number, "score_job": score.pk}
