"""Files scored in the browser: kept under names of ours, downloaded by who may, swept after a while."""

import time
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotate.models import User
from worker.models import Job, Version
from worker.models.job import JobKind
from worker.services.job import launch
from worker.services.upload import keep, sweep

KEPT_DAYS = 7


@transaction.atomic
def start_scoring(*, version: Version, file: UploadedFile, actor: User) -> Job:
    """Keep the file and launch the job that scores its lines."""
    sweep()
    sweep_results()
    params = {"version": version.pk, "file": keep(file), "name": file.name[:200]}
    return launch(project=version.project, kind=JobKind.FILE, params=params, actor=actor)


def result_path(name: str) -> Path:
    """Where the scored lines of that name lie."""
    return settings.ARTIFACT_DIR / "scored" / name


def sweep_results() -> None:
    """Delete results nobody will fetch any more, and drafts of jobs that died."""
    for path in result_path("").glob("*"):
        if time.time() - path.stat().st_mtime > KEPT_DAYS * 24 * 3600:
            path.unlink(missing_ok=True)
