"""A version with other transforms is a new version of the same file: what was used never changes silently."""

from collections import defaultdict
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Project, User
from annotate.services.event import record
from worker.models import Reference, Score, Version
from worker.models.job import JobKind
from worker.models.version import PREFERENCE, VersionState
from worker.rm.transforms import RAW, read, sources
from worker.services.job import launch
from worker.services.standing import measure_new

BATCH = 2000
References = Mapping[str, Mapping[str, list[float]]]
SAME = (
    "recipe", "snapshot", "backbone", "encode_hash", "heads", "metrics", "temperature", "mean", "std", "file",
    "file_sha256", "affected_at", "affected",
)  # fmt: skip


@transaction.atomic
def transform_version(
    *, version: Version, transforms: list[dict], references: References | None = None, actor: User | None = None
) -> Version:
    """A candidate that gives what this version gives, transformed; its scoring and measuring are launched.

    A standardise without mean and std, or a temperature without value, takes the version's own. References are the
    raw scores that the version has stored now, with those handed over (source → prompt → scores), and stay as they
    are. ValidationError where a step is wrong, or where
    there are no scores to compare with.
    """
    filled = [_filled(version, step) for step in transforms] if isinstance(transforms, list) else transforms
    try:
        steps = read(filled)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)  # two at once get two numbers
    made = Version(project=version.project, parent=version, **{name: getattr(version, name) for name in SAME})
    made.number = version.project.versions.first().number + 1
    made.state, made.transforms = VersionState.CANDIDATE, [step.model_dump() for step in steps]
    made.save()
    for source in sources(steps):
        _keep_references(version, made, source, (references or {}).get(source, {}))
    record(kind="version.transformed", subject=made, project=made.project, actor=actor, number=made.number)
    launch(project=made.project, kind=JobKind.SCORE, params={"version": made.pk}, actor=actor)
    measure_new(version=made, actor=actor)
    return made


def _filled(version: Version, step: object) -> object:
    if not isinstance(step, dict):
        return step
    own = {
        "standardise": {"mean": version.mean, "std": version.std},
        "temperature": {"value": version.temperature},
    }
    return own.get(step.get("name"), {}) | step


def _keep_references(version: Version, made: Version, source: str, given: Mapping[str, list[float]]) -> None:
    scores = Score.objects.filter(version=version, head=RAW if version.transforms else PREFERENCE)
    scores = scores.filter(response__source=source) if source else scores
    by_prompt: dict[str, list[float]] = defaultdict(list, {prompt: list(values) for prompt, values in given.items()})
    for prompt, value in scores.order_by("response_id").values_list("response__item__prompt_sha256", "value"):
        by_prompt[prompt].append(value)
    if not by_prompt:
        whose = f"of {source!r}" if source else "of the project"
        raise ValidationError(f"Version {version.number} has scored no response {whose} to compare with.")
    rows = [Reference(version=made, prompt_sha256=p, source=source, scores=v) for p, v in by_prompt.items()]
    Reference.objects.bulk_create(rows, batch_size=BATCH)
