"""Several fine-tunes of one start → the mean of their weights as a new version, measured like any other."""

from worker.jobs.dataset import dataset_of
from worker.jobs.loading import model_of
from worker.jobs.train import publish
from worker.models import Job, Version
from worker.progress import Progress
from worker.rm import averaging, outcome_tuned, reading
from worker.rm.training import Trained


def run(job: Job, progress: Progress) -> dict:
    """params: versions (ids). It is measured on the snapshot of the newest of them."""
    wanted = job.params["versions"]
    versions = list(Version.objects.filter(pk__in=wanted, project=job.project).select_related("snapshot"))
    if len(versions) < len(set(wanted)):
        raise ValueError("A version that should be averaged is gone: choose others.")
    progress.report("averaging the weights", 0, 1)
    model = averaging.mean([model_of(version) for version in versions])
    snapshot = versions[0].snapshot
    data = dataset_of(snapshot)
    inputs = reading.inputs(model.network.backbone.encoder, data.examples, model.rule)
    trained: Trained = outcome_tuned.finish(model, data, inputs, progress.report)
    return publish(job, snapshot, model.recipe, data, trained, progress)
