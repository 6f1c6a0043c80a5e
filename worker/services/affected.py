"""Marking the versions that hold what people have withdrawn."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Max

from annotate.models import Project
from worker.models import Snapshot, SnapshotRow, Version


@transaction.atomic
def note_withdrawals(*, project: Project) -> int:
    """Mark each version whose snapshot holds withdrawn judgements, or that began from the weights of a marked one.

    `affected`: {"withdrawn": judgements, those that were erased among them}, with {"erased": judgements} of these, or
    {"inherited": number of the other version}. Returns how
    many versions are marked.
    """
    gone = SnapshotRow.objects.filter(snapshot__project=project, judgement__withdrawn_at__isnull=False)
    counts = gone.order_by().values("snapshot").annotate(n=Count("pk"), at=Max("judgement__withdrawn_at"))
    found = {row["snapshot"]: row for row in counts} | _with_erased(project, counts)
    marked: dict[int, Version] = {}
    versions = list(project.versions.select_related("trained_by").defer("metrics", "recipe").order_by("number"))
    for version in versions:
        before = (version.affected_at, version.affected)
        version.affected_at, version.affected = _mark(found.get(version.snapshot_id), weights_from(version), marked)
        if version.affected_at:
            marked[version.pk] = version
        if before != (version.affected_at, version.affected):
            version.save(update_fields=["affected_at", "affected"])
    return len(marked)


def _with_erased(project: Project, counts: Iterable[dict]) -> dict[int, dict]:
    """Of snapshots that held judgements which are no more: their rows are gone, so the snapshot itself says it."""
    before = {row["snapshot"]: row for row in counts}
    found = {}
    for one in Snapshot.objects.filter(project=project, erased__gt=0):
        row = before.get(one.pk, {"n": 0, "at": one.erased_at})
        found[one.pk] = {"n": row["n"] + one.erased, "at": max(row["at"], one.erased_at), "erased": one.erased}
    return found


def _mark(row: dict | None, begun_from: list[int], marked: dict[int, Version]) -> tuple:
    if row:
        return row["at"], {"withdrawn": row["n"]} | ({"erased": row["erased"]} if "erased" in row else {})
    source = next((marked[pk] for pk in begun_from if pk in marked), None)
    return (source.affected_at, {"inherited": source.number}) if source else (None, {})


def weights_from(version: Version) -> list[int]:
    """Ids of versions whose weights it was made from: a warm start, a mean or ensemble, or the same transformed."""
    params = version.trained_by.params if version.trained_by else {}
    same = version.parent_id if version.transforms else None
    return [*params.get("versions", []), *filter(None, [params.get("warm"), same])]
