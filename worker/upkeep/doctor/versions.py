"""Snapshots and suites by their hashes, versions by their numbers and marks."""

from collections.abc import Iterator, Sequence

from django.db.models import F

from annotate.models import Project
from worker.models import Snapshot, SnapshotRow, Suite, Version
from worker.models.job import JobKind
from worker.services.affected import note_withdrawals
from worker.services.snapshot import digest_of
from worker.services.standing import settle, unsettled
from worker.services.suite import digest, questions_of
from worker.upkeep.doctor.fault import Check, Fault


def _snapshots() -> Iterator[Fault]:
    for snapshot in Snapshot.objects.select_related("project").order_by("pk").iterator():
        rows, used = snapshot.rows.count() + snapshot.erased, snapshot.counts["used"]
        if rows != used:
            yield Fault(f"snapshot {snapshot.pk}", f"holds {rows} judgements, and held {used} when it was frozen")
        elif snapshot.erased_at is None and digest_of(snapshot) != snapshot.sha256:
            yield Fault(f"snapshot {snapshot.pk}", "its judgements are not those that were hashed")


def _suites() -> Iterator[Fault]:
    for suite in Suite.objects.order_by("pk").iterator():
        if digest(suite.pairs.order_by("pk").iterator(), questions_of(suite)) != suite.sha256:
            yield Fault(f"suite {suite.pk}", "its pairs are not those that were frozen")


def _standings() -> Iterator[Fault]:
    for suite in Suite.objects.order_by("pk").iterator():
        for version in unsettled(suite):
            says = f"its standing on suite {suite.pk} is not what its scores give"
            yield Fault(f"version {version.pk}", says, (suite.pk, version.pk))


def _settle(keys: Sequence[tuple[int, int]]) -> int:
    for suite, version in keys:
        settle(Suite.objects.get(pk=suite), Version.objects.filter(pk=version))
    return len(keys)


def _versions() -> Iterator[Fault]:
    for version in Version.objects.select_related("snapshot", "parent", "trained_by").order_by("pk").iterator():
        if version.snapshot.project_id != version.project_id:
            yield Fault(f"version {version.pk}", "was trained on a snapshot of another project")
        if version.parent and version.parent.number >= version.number:
            yield Fault(f"version {version.pk}", f"comes before its parent, version {version.parent_id}")
        if _claims_more(version):
            yield Fault(f"version {version.pk}", "its metrics speak of more held-out comparisons than there were")


def _claims_more(version: Version) -> bool:
    """Of one trained on its snapshot alone; comparisons that were too long to be read may be left out."""
    trained = version.trained_by and version.trained_by.kind == JobKind.TRAIN
    held_out = version.snapshot.counts.get("comparisons", {}).get("test", 0)
    return bool(trained) and version.metrics.get("comparisons", 0) > held_out


def _marks() -> Iterator[Fault]:
    gone = SnapshotRow.objects.filter(judgement__withdrawn_at__isnull=False).values("snapshot")
    for pk, project in Version.objects.filter(snapshot__in=gone, affected_at=None).values_list("pk", "project"):
        yield Fault(f"version {pk}", "was trained on what was withdrawn, and is not marked", project)


def _note(keys: Sequence[int]) -> int:
    for project in Project.objects.filter(pk__in=set(keys)):
        note_withdrawals(project=project)
    return len(keys)


def _splits() -> Iterator[Fault]:
    """A prompt is never in both parts."""
    moved = SnapshotRow.objects.exclude(split=F("judgement__item__split"))
    for pk, judgement in moved.values_list("snapshot", "judgement").iterator():
        yield Fault(f"snapshot {pk}", f"the prompt of judgement {judgement} has changed sides since")


BACKUP = "A backup has them as they were (manage.py restore into another folder, and compare)."
CHECKS = (
    Check("snapshots", "A version can no longer be made again from what it was trained on.", BACKUP, _snapshots),
    Check("splits", "Held-out prompts were trained on, or the other way round: no accuracy can be believed.",
          BACKUP, _splits),
    Check("suites", "Versions measured before and after cannot be compared.",
          "Make a new suite of the pairs and measure the versions on it.", _suites),
    Check("versions", "What a version says of itself contradicts its rows.", BACKUP, _versions),
    Check("marks", "Nobody is told that a version still holds what was withdrawn.",
          "Run manage.py doctor --repair.", _marks, _note),
    Check("standings", "The leaderboard shows other figures than the stored scores give.",
          "Run manage.py doctor --repair.", _standings, _settle),
)  # fmt: skip
