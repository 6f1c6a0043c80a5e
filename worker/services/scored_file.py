"""Files scored in the browser: kept under names of ours, downloaded by who may, swept after a while."""

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotate.models import User
from worker.models import Job, Version
from worker.models.job import JobKind
from worker.services.job import launch
from worker.services.upload import keep, sweep
from worker.store import artifacts, remove_older

KEPT_DAYS = 7
FOLDER = "scored"


@transaction.atomic
def start_scoring(*, version: Version, file: UploadedFile, actor: User) -> Job:
    """Keep the file and launch the job that scores its lines."""
    sweep()
    sweep_results()
    params = {"version": version.pk, "file": keep(file), "name": file.name[:200]}
    return launch(project=version.project, kind=JobKind.FILE, params=params, actor=actor)


def in_store(name: str) -> str:
    """What the artifact store calls the scored lines of that name."""
    return f"{FOLDER}/{name}"


def results() -> set[str]:
    """Names of those that are there."""
    return set(artifacts().listdir(FOLDER)[1])


def sweep_results() -> None:
    """Delete results nobody will fetch any more, and drafts of jobs that died."""
    remove_older(artifacts(), FOLDER, KEPT_DAYS * 24 * 3600)
