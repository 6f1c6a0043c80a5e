"""What a project's next round waits for: new judgements, a time, or drift."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from annotate.agreement import Interval, undefined
from annotate.models import Judgement, Project
from annotate.models.item import Split
from annotate.models.judgement import JudgementQuerySet, Outcome
from worker.compare import LEAST, Verdict, drift
from worker.models import Job, Round, RoundPolicy, Score, Snapshot, Version
from worker.models.job import JobKind
from worker.models.round import RoundState
from worker.models.version import PREFERENCE
from worker.services.snapshot import verdicts_of


@dataclass(frozen=True)
class Waiting:
    """Where the project stands; `due` is the reason to start now, "" while there is none."""

    new: int  # judgements since the last round or version
    changed: bool  # whether a snapshot would differ from that one's
    next_at: datetime | None  # by the schedule
    drift: Interval
    busy: Round | Job | None
    problem: str  # why nothing can start by itself
    due: str


def waiting(policy: RoundPolicy) -> Waiting:
    """Everything that the page shows and that the worker goes by."""
    project, since = policy.project, last_snapshot(policy.project)
    new = new_judgements(project, since).count()
    changed = new > 0 or since is None or project.judgements.filter(withdrawn_at__gt=since.created_at).exists()
    next_at = _next_at(policy)
    found = drifted(project, since) if policy.on_drift else undefined("not asked for")
    reasons = {
        "judgements": bool(policy.after_judgements) and new >= policy.after_judgements,
        "schedule": next_at is not None and next_at <= timezone.now(),
        "drift": found.high is not None and found.high < 0,
    }
    busy, problem = running(project), _problem(policy)
    ready = changed and not busy and not problem
    due = next((name for name, holds in reasons.items() if holds and ready), "")
    return Waiting(new, changed, next_at, found, busy, problem, due)


def _problem(policy: RoundPolicy) -> str:
    if not policy.enabled:
        return "Rounds are off: nothing starts by itself."
    if policy.suite_id is None:
        return "There is no frozen suite to compare versions on: nothing starts by itself."
    return ""


def running(project: Project) -> Round | Job | None:
    """What keeps a round from starting: an open round, or a training."""
    rounds = project.rounds.filter(state__in=(RoundState.TRAINING, RoundState.MEASURING))
    return rounds.first() or project.jobs.unfinished().filter(kind=JobKind.TRAIN).first()


def last_snapshot(project: Project) -> Snapshot | None:
    """That of the last round, however it ended, or of the newest version: the later one. A failed round is not
    repeated by itself until there is something new."""
    one, version = project.rounds.select_related("job").first(), project.versions.select_related("snapshot").first()
    pk = one.job.params.get("snapshot") if one and one.job else None
    found = [Snapshot.objects.filter(pk=pk).first(), version.snapshot if version else None]
    return max(filter(None, found), key=lambda snapshot: snapshot.created_at, default=None)


def new_judgements(project: Project, since: Snapshot | None) -> JudgementQuerySet:
    """What people said since then that a version could learn from."""
    rows = project.judgements.of_people().exclude(outcome=Outcome.CANNOT_JUDGE)
    return rows.filter(created_at__gt=since.created_at) if since else rows


def _next_at(policy: RoundPolicy) -> datetime | None:
    if not policy.every_hours:
        return None
    rows = (policy.project.rounds.first(), policy.project.versions.first())
    last = max((row.created_at for row in rows if row), default=None)
    return last + timedelta(hours=policy.every_hours) if last else timezone.now()


# ---- Drift


def drifted(project: Project, since: Snapshot | None) -> Interval:
    """The promoted version's accuracy on new verdicts minus that on its held-out ones: see worker.compare.drift.

    Only prompts that no snapshot row of it is about are new to it, and only verdicts on responses it has scored.
    """
    version = project.versions.promoted()
    if version is None or since is None:
        return undefined("no version is promoted")
    rows = new_judgements(project, since).select_related("item").order_by("pk")
    seen = Judgement.objects.filter(snapshot_rows__snapshot=version.snapshot_id)
    unseen = rows.exclude(item__prompt_sha256__in=seen.values("item__prompt_sha256"))
    if (prompts := unseen.order_by().values("item__prompt_sha256").distinct().count()) < LEAST:
        return drift([Verdict(str(n), 0) for n in range(prompts)], [])  # spares reading what is held out
    held = Q(snapshot_rows__snapshot=version.snapshot_id, snapshot_rows__split=Split.TEST)
    return drift(_said(version, unseen), _said(version, project.judgements.filter(held).select_related("item")))


def _said(version: Version, rows: JudgementQuerySet) -> list[Verdict]:
    items = rows.order_by().values("item")
    scored = Score.objects.filter(version=version, head=PREFERENCE, response__item__in=items)
    scores = dict(scored.values_list("response", "value"))
    return [
        Verdict(row.item.prompt_sha256, _right(scores[first] - scores[second], p), row.probability)
        for row in rows
        for first, second, p in verdicts_of(row)
        if p != 0.5 and first in scores and second in scores
    ]


def _right(margin: float, p: float) -> float:
    return 0.5 if margin == 0 else float((margin > 0) == (p > 0.5))
