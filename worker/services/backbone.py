"""Backbones: asked for by an admin, looked at by a worker, kept for all projects."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from annotate.models import Project, User
from annotate.services.event import record
from worker.models import Backbone, Job
from worker.models.job import JobKind
from worker.services.job import launch

BUNDLED = "minilm"


def folders() -> list[str]:
    """Names of the folders under settings.BACKBONE_DIR that hold a model."""
    return sorted(path.parent.name for path in settings.BACKBONE_DIR.glob("*/config.json"))


@transaction.atomic
def register(*, project: Project, actor: User, name: str, hub: str = "", folder: str = "") -> Job:
    """Launch the job that looks at a backbone: a hub id, the bundled one, or a folder's name under BACKBONE_DIR.

    ValidationError when another backbone has the name, or a folder is none of `folders`.
    """
    if folder and folder != BUNDLED and folder not in folders():
        raise ValidationError({"folder": f"There is no model in a folder {folder!r}."})
    own = folder if folder == BUNDLED else str(settings.BACKBONE_DIR / folder)
    source = own if folder else hub
    name = name or folder or hub
    _free(name, source)
    return launch(project=project, kind=JobKind.BACKBONE, params={"source": source, "name": name}, actor=actor)


@transaction.atomic
def store(*, name: str, source: str, facts: dict, actor: User | None = None) -> Backbone:
    """Keep what a worker found; a backbone that is registered again is brought up to date."""
    _free(name, source)
    found, new = Backbone.objects.update_or_create(
        name=name,
        defaults=facts | {"source": source},
        create_defaults=facts | {"source": source, "registered_by": actor},
    )
    record(kind="backbone.registered", subject=found, actor=actor, new=new, sha256=found.sha256)
    return found


def _free(name: str, source: str) -> None:
    """A name stands for one source; none may pass for the bundled one, or for what another is known to come from."""
    others = Backbone.objects.exclude(source=source)
    if (name == BUNDLED != source) or others.filter(Q(name=name) | Q(source=name)).exists():
        raise ValidationError({"name": f"There is a backbone {name!r} of another source already; choose another name."})
