"""Which judgements made which version, and what becomes of versions when a judgement is taken back."""

from collections import Counter
from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from annotate.models import Event, Judgement, Project, User
from annotate.services import withdraw
from worker.models import Round, SnapshotRow, Version
from worker.models.job import JobKind
from worker.services import rounds
from worker.services.affected import note_withdrawals, weights_from


@transaction.atomic
def withdraw_rater(*, project: Project, who: str, why: str, actor: User) -> Event:
    """Take back all that a rater judged, and mark the versions that were trained on it."""
    event = withdraw.withdraw_rater(project=project, who=who, why=why, actor=actor)
    note_withdrawals(project=project)
    return event


@transaction.atomic
def withdraw_judgement(*, judgement: Judgement, why: str, actor: User) -> Event:
    """Take back one judgement, and mark the versions that were trained on it."""
    event = withdraw.withdraw_judgement(judgement=judgement, why=why, actor=actor)
    note_withdrawals(project=judgement.project)
    return event


@transaction.atomic
def restore(*, event: Event, actor: User) -> int:
    """Undo a withdrawal; versions that hold nothing withdrawn any more lose their mark."""
    count = withdraw.restore(event=event, actor=actor)
    note_withdrawals(project=event.project)
    return count


def rebuild(*, version: Version, actor: User) -> Round:
    """Train again by the same recipe on what is left, as a round.

    ValidationError where nothing was withdrawn, and of a mean or an ensemble, whose recipe is that of one member.
    """
    if version.affected_at is None:
        raise ValidationError("Nothing that this version was trained on is withdrawn.")
    if parts := parts_of(version):
        names = ", ".join(str(one.number) for one in parts)
        raise ValidationError(
            f"It was put together from versions {names}: rebuild those, then put them together again."
        )
    return rounds.start(project=version.project, reason="withdrawal", actor=actor, of=version)


# ---- Reading


def revisions(judgement: Judgement) -> QuerySet:
    """The judgement with what it replaced and what replaced it."""
    same = Q(assignment=judgement.assignment_id) if judgement.assignment_id else Q(pk=judgement.pk)
    return judgement.project.judgements.filter(same)


def versions_of(project: Project, judgements: QuerySet) -> list[tuple[Version, Counter]]:
    """Versions that any of these judgements is in, newest first, with how many train and are held out ("test")."""
    rows = SnapshotRow.objects.filter(snapshot__project=project, judgement__in=judgements.order_by().values("pk"))
    counts: dict[int, Counter] = {}
    for row in rows.values("snapshot", "split").annotate(n=Count("pk")).order_by("snapshot", "split"):
        counts.setdefault(row["snapshot"], Counter())[row["split"]] = row["n"]
    versions = project.versions.filter(snapshot__in=counts).order_by("-number")
    return [(version, counts[version.snapshot_id]) for version in versions]


def raters_of(version: Version) -> list[dict]:
    """Who judged what the version was made from: {"who", "name", "train", "test", "withdrawn"}, most first."""
    rows = SnapshotRow.objects.filter(snapshot=version.snapshot_id).order_by()
    rows = rows.values("judgement__rater", "judgement__rater__username", "judgement__rater_name")
    counted = rows.annotate(
        train=Count("pk", filter=Q(split="train")),
        test=Count("pk", filter=Q(split="test")),
        withdrawn=Count("pk", filter=Q(judgement__withdrawn_at__isnull=False)),
        n=Count("pk"),
    )
    return [_rater(row) for row in counted.order_by("-n", "judgement__rater", "judgement__rater_name")]


def _rater(row: dict) -> dict:
    pk, name = row["judgement__rater"], row["judgement__rater_name"]
    named = {"who": f"user:{pk}" if pk else f"name:{name}", "name": row["judgement__rater__username"] or name}
    return named | {key: row[key] for key in ("train", "test", "withdrawn")}


def made_from_weights(version: Version) -> Iterator[Version]:
    """Versions that it began from (a warm start) or is the mean of."""
    yield from version.project.versions.filter(pk__in=weights_from(version)).order_by("number")


def parts_of(version: Version) -> list[Version]:
    """What a mean or an ensemble, transformed or not, was put together from; of a version that was trained none."""
    same = version.project.versions.filter(file=version.file, trained_by__kind=JobKind.AVERAGE)
    made = same.select_related("trained_by").first()
    chosen = made.trained_by.params.get("versions", []) if made else []
    return list(version.project.versions.filter(pk__in=chosen).order_by("number"))


def averages_of(version: Version) -> list[Version]:
    """Versions that are a mean of weights or an ensemble, this one among them."""
    made = version.project.versions.filter(trained_by__kind=JobKind.AVERAGE).select_related("trained_by")
    return [one for one in made if version.pk in one.trained_by.params.get("versions", [])]


def change_of(version: Version) -> dict | None:
    """Judgements that came and went since the parent: {"added", "removed"}; None without a parent."""
    if version.parent is None:
        return None
    own, before = (SnapshotRow.objects.filter(snapshot=pk) for pk in (version.snapshot_id, version.parent.snapshot_id))
    return {
        "added": own.exclude(judgement__in=before.values("judgement")).count(),
        "removed": before.exclude(judgement__in=own.values("judgement")).count(),
    }
