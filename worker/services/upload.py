"""Uploaded files: kept under names of ours, parsed once, never served, deleted with their job."""

import secrets

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotate.models import Project, User
from worker.models import Job
from worker.models.job import JobKind
from worker.services.job import launch
from worker.store import remove_older, uploads

READERS = (JobKind.IMPORT, JobKind.FILE)
FORGOTTEN_SECONDS = 24 * 3600  # a file of a job that was cancelled before it began


@transaction.atomic
def start_import(*, project: Project, file: UploadedFile, format: str, actor: User, check: bool = False) -> Job:
    """Keep the file and launch the job that reads it; to `check` is to write nothing but a report."""
    sweep()
    params = {"file": keep(file), "format": format, "name": file.name} | ({"check": True} if check else {})
    return launch(project=project, kind=JobKind.IMPORT, params=params, actor=actor)


@transaction.atomic
def import_checked(*, check: Job, actor: User) -> Job | None:
    """Launch the import of a file that was checked; None where the file is there no more."""
    project = Project.objects.select_for_update(no_key=True).get(pk=check.project_id)
    used = project.jobs.filter(kind=JobKind.IMPORT, params__file=check.params["file"]).exclude(pk=check.pk)
    if used.exists() or not uploads().exists(check.params["file"]):
        return None
    params = {name: check.params[name] for name in ("file", "format", "name")} | {"format": check.result["format"]}
    return launch(project=project, kind=JobKind.IMPORT, params=params, actor=actor)


def keep(file: UploadedFile) -> str:
    """Put the upload into the store; returns the random name it has there."""
    name = secrets.token_hex(16)
    draft = uploads().draft(name)
    try:
        with draft.open("xb") as target:
            for chunk in file.chunks():
                target.write(chunk)
        uploads().publish(draft, name)
    except BaseException:  # a full disk has no room for half of it either, and half of a body is no file
        draft.unlink(missing_ok=True)
        raise
    return name


def discard(name: str) -> None:
    uploads().delete(name)


def sweep() -> None:
    """Delete what no unfinished job will read any more."""
    wanted = Job.objects.unfinished().filter(kind__in=READERS).values_list("params__file", flat=True)
    remove_older(uploads(), "", FORGOTTEN_SECONDS, wanted)
    uploads().sweep()
