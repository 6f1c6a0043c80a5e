"""From judgements to a training job, or a clear word on what is missing."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Project, User
from worker.models import Job
from worker.models.job import JobKind
from worker.services.job import launch
from worker.services.snapshot import freeze, missing, survey

RECIPES = ("heads",)


def start_training(
    *, project: Project, recipe: str = "heads", actor: User | None = None, queue: str = "cpu", **options: object
) -> Job:
    """Freeze the judgements and launch a train job on them. `options` are fields of the recipe.

    Raises ValidationError when there is too little to learn from or to measure on; then nothing is written.
    The judgements are read before the transaction, which would keep everybody from submitting meanwhile.
    """
    if recipe not in RECIPES:
        raise ValidationError(f"There is no recipe {recipe!r}; there is {', '.join(RECIPES)}.")
    found = survey(project)
    if problems := missing(found.counts):
        raise ValidationError(problems)
    with transaction.atomic():
        snapshot = freeze(project=project, actor=actor, surveyed=found)
        params = {"snapshot": snapshot.pk, "recipe": {"name": recipe, **options}, "backbone": settings.BACKBONE}
        return launch(project=project, kind=JobKind.TRAIN, params=params, actor=actor, queue=queue)
