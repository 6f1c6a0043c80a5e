"""Rounds: a project retrains by itself, and the new version takes over if it is better by the rule.

A round is a row: training → measuring → promoted | kept | failed. `tick` moves every round on and starts those that
are due; it may run anywhere, any number at once, since each step is taken under the project's lock.
"""

import logging
from collections.abc import Callable

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from annotate.models import Project, User
from annotate.services.event import record
from worker.compare import paired
from worker.models import Job, Round, RoundPolicy, Version
from worker.models.job import JobKind, JobState
from worker.models.round import RoundState, Rule
from worker.rm.recipe import Recipe
from worker.round_words import decision
from worker.services.affected import note_withdrawals
from worker.services.job import launch
from worker.services.snapshot import Survey, freeze, missing, survey
from worker.services.standing import marks, measure, sheet
from worker.services.suite import known_prompts
from worker.services.version import promote
from worker.services.waiting import running, waiting

log = logging.getLogger(__name__)
OPEN = (RoundState.TRAINING, RoundState.MEASURING)


def policy_of(project: Project) -> RoundPolicy:
    """The project's policy; one that is off, unsaved, where nobody has set any."""
    return RoundPolicy.objects.filter(project=project).select_related("suite").first() or RoundPolicy(project=project)


@transaction.atomic
def set_policy(*, project: Project, actor: User | None = None, **fields: object) -> RoundPolicy:
    """Change when the project retrains and what is promoted; the values are those of a checked form."""
    policy, _ = RoundPolicy.objects.update_or_create(project=project, defaults=fields | {"updated_by": actor})
    record(kind="rounds.changed", subject=policy, project=project, actor=actor, enabled=policy.enabled)
    return policy


# ---- Starting


def start(
    *, project: Project, reason: str, actor: User | None = None, of: Version | None = None, queue: str = ""
) -> Round:
    """Freeze the judgements and train on them, in the policy's queue unless another is given. `of`: by that version's
    recipe, with it as the parent.

    Raises ValidationError where there is too little to learn from, a round or a training is under way, or the newest
    version was made from the same judgements by the same recipe.
    """
    found = survey(project)  # before the transaction, which would keep everybody from submitting meanwhile
    if problems := missing(found.counts):
        raise ValidationError(problems)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if busy := running(project):
            raise ValidationError(f"{busy} is under way; the next round can begin when it has ended.")
        policy = policy_of(project)
        params = _params(policy, found, of)
        note_withdrawals(project=project)  # also of decisions whose case was opened again
        snapshot = freeze(project=project, actor=actor, surveyed=found)
        job = launch(
            project=project, kind=JobKind.TRAIN, params=params | {"snapshot": snapshot.pk}, actor=actor,
            queue=queue or policy.queue,
        )  # fmt: skip
        last = project.rounds.first()
        one = Round.objects.create(project=project, number=last.number + 1 if last else 1, reason=reason, job=job)
        record(kind="round.started", subject=one, project=project, actor=actor, number=one.number, reason=reason)
        return one


def _params(policy: RoundPolicy, found: Survey, of: Version | None) -> dict:
    """What the training job is told; ValidationError where the newest version was made in the same way."""
    promoted, newest = policy.project.versions.promoted(), policy.project.versions.select_related("snapshot").first()
    like, base = of or promoted, of or newest
    recipe = _whole((of and of.recipe) or policy.recipe or (like.recipe if like else {}))
    backbone = (of and of.backbone) or policy.backbone or (like.backbone if like else settings.BACKBONE)
    same = base and base.snapshot.sha256 == found.sha256 and base.backbone == backbone
    if same and _whole(base.recipe) == recipe:
        raise ValidationError(f"Version {base.number} was made from the same judgements by the same recipe.")
    warm = policy.warm and promoted and not of and _can_begin(promoted, recipe, backbone)
    params = {"recipe": recipe, "backbone": backbone} | ({"warm": promoted.pk} if warm else {})
    return params | ({"parent": of.pk} if of else {})


def _whole(recipe: dict) -> dict:
    """The recipe with every value, so that two can be compared."""
    try:
        return Recipe.model_validate(recipe).model_dump(mode="json")
    except ValueError as error:
        raise ValidationError(f"The recipe cannot be used: {error}") from None


def _can_begin(version: Version, recipe: dict, backbone: str) -> bool:
    """Only tuned weights of one model can be begun from, by the same trainer, of the same backbone and rank."""
    alike = recipe["name"] != "heads" and (version.recipe["name"], version.backbone) == (recipe["name"], backbone)
    if alike and recipe["name"] == "lora":
        alike = _whole(version.recipe)["tuning"]["lora_rank"] == recipe["tuning"]["lora_rank"]
    return alike and not version.project.versions.of_several().filter(pk=version.pk).exists()


# ---- Going on


def tick() -> dict[str, int]:
    """Move every open round on, and start those that are due. Returns how many of each."""
    moved = sum(_alone(advance, one) for one in Round.objects.filter(state__in=OPEN))
    policies = RoundPolicy.objects.filter(enabled=True).select_related("project", "suite")
    return {"moved": moved, "started": sum(_alone(_start_if_due, policy) for policy in policies)}


def _alone(step: Callable[[Model], bool], row: Model) -> bool:
    """What goes wrong in one project must not stop the others'."""
    try:
        return step(row)
    except Exception:
        log.exception("%s could not go on", row)
        return False


def _start_if_due(policy: RoundPolicy) -> bool:
    reason = waiting(policy).due
    if not reason:
        return False
    try:
        start(project=policy.project, reason=reason)
    except ValidationError:  # another worker was first, or too little is held out: the page says which
        return False
    return True


@transaction.atomic
def advance(one: Round) -> bool:
    """One step of the round if its job has ended; says whether there was one."""
    Project.objects.select_for_update(no_key=True).get(pk=one.project_id)
    one = Round.objects.select_related("project", "job").get(pk=one.pk)
    job = one.job if one.state == RoundState.TRAINING else measuring(one)
    if one.state not in OPEN or (job and not job.ended):
        return False
    if job is None or job.state != JobState.DONE:
        _end(one, RoundState.FAILED, _what_failed(one, job))
    elif one.state == RoundState.TRAINING:
        _trained(one, job)
    else:
        _decide(one)
    return True


def measuring(one: Round) -> Job | None:
    """The job that measures the round's version on the suite."""
    return one.project.jobs.filter(kind=JobKind.EVALUATE, params__round=one.pk).first()


def _what_failed(one: Round, job: Job | None) -> str:
    part = "Training" if one.state == RoundState.TRAINING else "Measuring"
    if job is None:
        return f"{part} failed: its job is gone."
    said = f": {job.error}" if job.error else "."
    return f"{part} was cancelled." if job.state == JobState.CANCELLED else f"{part} failed{said}"


def _trained(one: Round, job: Job) -> None:
    one.version = Version.objects.filter(trained_by=job).first()
    if one.version is None:
        return _end(one, RoundState.FAILED, "The version that was trained is gone.")
    if parent := Version.objects.filter(pk=job.params.get("parent"), project=one.project).first():
        Version.objects.filter(pk=one.version.pk).update(parent=parent)
    return _measure(one, job.queue)


def _measure(one: Round, queue: str) -> None:
    policy = policy_of(one.project)
    one.against = one.project.versions.promoted()
    if policy.suite is None:
        words = f"Version {one.version.number} is trained. There is no frozen suite to compare it on: a person decides."
        return _end(one, RoundState.KEPT, words)
    versions = [one.version, *([one.against] if one.against else [])]
    measure(suite=policy.suite, versions=versions, actor=one.job.created_by, queue=queue, round=one.pk)
    one.state = RoundState.MEASURING
    one.save()
    return None


def _decide(one: Round) -> None:
    """By the policy as it is now, on the pairs whose prompts no version trains on."""
    policy, now = policy_of(one.project), one.project.versions.promoted()
    if policy.suite is None or (now and now.pk != one.against_id) or not _measured(one, policy):
        return _measure(one, one.job.queue)  # a person changed the suite or promoted another meanwhile
    rows, known = sheet(policy.suite), known_prompts(policy.suite)
    used = ~np.isin(rows.prompt, list(known))
    new = marks(policy.suite, rows, one.version).credit
    old = marks(policy.suite, rows, one.against).credit if one.against else rows.chance  # against a coin
    found = paired(new[used], old[used], rows.prompt[used])
    by = {"suite": policy.suite.name, "rule": policy.rule, "tolerance": policy.tolerance}
    one.comparison = found.as_dict() | by | {"left_out": int((~used).sum())}
    better, words = decision(one, found, Rule(policy.rule), policy.tolerance)
    if better:
        promote(version=one.version)
    return _end(one, RoundState.PROMOTED if better else RoundState.KEPT, words)


def _measured(one: Round, policy: RoundPolicy) -> bool:
    return measuring(one).params["suite"] == policy.suite_id


def _end(one: Round, state: str, words: str) -> None:
    one.state, one.words, one.finished_at = state, words, timezone.now()
    one.save()
    record(kind=f"round.{state}", subject=one, project=one.project, number=one.number, words=words)
