"""Several versions → one that is the mean of their weights, or their ensemble, measured like any other."""

from django.conf import settings

from worker.jobs.dataset import dataset_of
from worker.jobs.loading import model_of
from worker.jobs.train import publish
from worker.models import Job, Version
from worker.progress import Progress
from worker.rm import averaging, ensemble_runs, outcome_tuned, reading, scoring
from worker.rm.recipe import Extras, Recipe
from worker.rm.training import Trained


def run(job: Job, progress: Progress) -> dict:
    """params: versions (ids); for an ensemble rule, uwo_weight and quantile. Measured on the newest one's snapshot."""
    wanted = job.params["versions"]
    versions = list(Version.objects.filter(pk__in=wanted, project=job.project).select_related("snapshot"))
    if len(versions) < len(set(wanted)):
        raise ValueError("A version that should be averaged is gone: choose others.")
    return (_ensemble if "rule" in job.params else _mean)(job, versions, progress)


def _mean(job: Job, versions: list[Version], progress: Progress) -> dict:
    progress.report("averaging the weights", 0, 1)
    model = averaging.mean([model_of(version) for version in versions])
    snapshot = versions[0].snapshot
    data = dataset_of(snapshot)
    inputs = reading.inputs(model.network.backbone.encoder, data.examples, model.rule)
    trained: Trained = outcome_tuned.finish(model, data, inputs, progress.report)
    return publish(job, snapshot, model.recipe, data, trained, progress)


def _ensemble(job: Job, versions: list[Version], progress: Progress) -> dict:
    """Its recipe is that of the newest member with what becomes of the members; it has no further heads."""
    own, snapshot = Recipe.model_validate(versions[0].recipe), versions[0].snapshot
    extras = Extras(
        attributes=0,
        segments=0,
        steps=0,
        members=len(versions),
        combine=job.params["rule"],
        uwo_weight=job.params["uwo_weight"],
        quantile=job.params["quantile"],
    )
    model, data = ensemble_runs.of([model_of(version) for version in versions], extras), dataset_of(snapshot)
    scored = scoring.score(model, data.examples, settings.CACHE_DIR, progress.report)
    trained = ensemble_runs.measured(model, data, scored)
    return publish(job, snapshot, own.model_copy(update={"extras": extras}), data, trained, progress)
