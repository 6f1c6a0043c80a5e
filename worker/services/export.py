"""Versions as folders for others: asked for here, made by a worker, kept as one archive per form."""

from django.db import transaction

from annotate.models import User
from annotate.services.event import record
from worker.models import Job, Version
from worker.models.job import JobKind, JobQuerySet
from worker.services.job import launch

FOLDER = "exports"
FORMS = {"model": "Hugging Face model", "adapter": "LoRA adapters for peft"}


def archive_of(version: Version, form: str) -> str:
    """Its name in the artifact store; by what it is made of, for a restored database counts its versions anew."""
    return f"{FOLDER}/version{version.pk}-{version.file_sha256[:16]}-{form}.zip"


def note_download(*, version: Version, form: str, actor: User) -> None:
    """The ledger tells that somebody took the archive."""
    told = {"number": version.number, "form": form}
    record(kind="version.downloaded", subject=version, project=version.project, actor=actor, **told)


def forms_of(version: Version) -> list[str]:
    """What it can be exported as."""
    return list(FORMS) if version.recipe.get("name") == "lora" else ["model"]


@transaction.atomic
def start_export(*, version: Version, form: str, actor: User | None = None) -> Job:
    """The job that makes the archive; one that is on its way is not launched twice."""
    waiting = jobs_of(version, form).unfinished().first()
    params = {"version": version.pk, "form": form}
    return waiting or launch(project=version.project, kind=JobKind.EXPORT, params=params, actor=actor)


def jobs_of(version: Version, form: str) -> JobQuerySet:
    """Newest first."""
    return Job.objects.filter(
        kind=JobKind.EXPORT, project=version.project_id, params__version=version.pk, params__form=form
    )
