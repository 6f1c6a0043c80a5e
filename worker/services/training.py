"""From judgements to a training job, or a clear word on what is missing."""

from collections.abc import Mapping

import pydantic
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Project, User
from worker.models import Backbone, Job, Snapshot, Sweep
from worker.models.job import JobKind
from worker.recipes import OPTIONS, complaints, idle, recipe_of, stored
from worker.rm.recipe import Recipe
from worker.services.forecast import forecast
from worker.services.job import launch
from worker.services.snapshot import Survey, freeze, missing, survey

DEFAULT = Recipe()


def start_training(
    *,
    project: Project,
    recipe: Recipe = DEFAULT,
    backbone: str = "",
    actor: User | None = None,
    queue: str = "cpu",
    origin: Job | None = None,
    found: Survey | None = None,
    **more: object,
) -> Job:
    """Freeze the judgements, as they are now or were `found`, and launch a train job on them.

    `more` are further parameters of the job, plain JSON. Raises ValidationError when there is too little to learn from
    or to measure on; then nothing is written. The judgements are read before the transaction, which would keep
    everybody from submitting meanwhile.
    """
    found, backbone = enough(project, found), backbone or settings.BACKBONE
    place = {"recipe": recipe, "backbone": backbone, "queue": queue}
    tokens = forecast(project=project, found=found, **place).read  # the next forecast takes its time from this one
    with transaction.atomic():
        snapshot = freeze(project=project, actor=actor, surveyed=found)
        return train_on(snapshot, actor=actor, origin=origin, tokens=tokens, **place, **more)


def asked(*, project: Project, trainer: str, overrides: Mapping[str, object], backbone: str = "") -> dict:
    """What start_training is told by a program, as the form would have it; ValidationError by dotted name.

    The backbone is one of those that are registered, by its name or source: a path of the caller's is none.
    """
    if unknown := [name for name in overrides if name not in OPTIONS]:
        raise ValidationError(dict.fromkeys(unknown, "There is no such value in a recipe."))
    try:
        recipe = recipe_of({"name": trainer} | dict(overrides))
    except pydantic.ValidationError as error:
        raise ValidationError({name or "overrides": text for name, text in complaints(error).items()}) from None
    if unused := idle(recipe):
        raise ValidationError(dict.fromkeys(unused, f"It does nothing with trainer {trainer} and these values."))
    if recipe.extras.verbosity not in ("", *(criterion.key for criterion in project.schema.criteria)):
        raise ValidationError({"extras.verbosity": "The project has no such criterion."})
    return {"recipe": recipe, "backbone": _registered(backbone)}


def _registered(name: str) -> str:
    source, known = source_of(name), backbones()
    if name and source not in known:
        raise ValidationError({"backbone": f"Choose a registered one: {', '.join(known.values())}."})
    return source


def enough(project: Project, found: Survey | None = None) -> Survey:
    """What would be frozen now, or was found; ValidationError says what is missing."""
    found = found or survey(project)
    if problems := missing(found.counts):
        raise ValidationError(problems)
    return found


def train_on(
    snapshot: Snapshot,
    *,
    recipe: Recipe,
    backbone: str = "",
    actor: User | None = None,
    queue: str = "cpu",
    origin: Job | None = None,
    sweep: Sweep | None = None,
    **more: object,
) -> Job:
    """A train job on a snapshot that stands; its parameters hold the trainer and the values that were changed."""
    params = {"snapshot": snapshot.pk, "recipe": stored(recipe), "backbone": backbone or settings.BACKBONE, **more}
    return launch(
        project=snapshot.project,
        kind=JobKind.TRAIN,
        params=params,
        actor=actor,
        queue=queue,
        origin=origin,
        sweep=sweep,
    )


def backbones() -> dict[str, str]:
    """Where each backbone comes from → what it is called; the site's own first, the registered ones after it."""
    registered = dict(Backbone.objects.values_list("source", "name"))
    return {settings.BACKBONE: settings.BACKBONE, "minilm": "minilm"} | registered


def source_of(name: str) -> str:
    """Where the backbone of that name comes from; a name that is not registered stands for itself."""
    return Backbone.objects.filter(name=name).values_list("source", flat=True).first() or name
