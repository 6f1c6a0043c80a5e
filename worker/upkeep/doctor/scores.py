"""Scores of responses and of pools, and the columns that pages read in their place."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from django.db import transaction
from django.db.models import Count

from worker.models import Candidate, CandidateScore, Pool, PoolColumn, Score, Version
from worker.models.version import PREFERENCE
from worker.services.columns import GOLD
from worker.upkeep.doctor.fault import Check, Fault


def _heads() -> Iterator[Fault]:
    """A version scores every response by all its heads; a transform may leave some undefined."""
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for version, head, n in Score.objects.order_by().values_list("version", "head").annotate(n=Count("pk")):
        counts[version][head] = n
    for version in Version.objects.filter(pk__in=counts, transforms=[]).order_by("pk"):
        own = {head: counts[version.pk].get(head, 0) for head in version.heads}
        if len(set(own.values())) > 1:
            few = min(own, key=own.get)
            yield Fault(f"version {version.pk}", f"{own[few]} scores of {few}, and {max(own.values())} of another head")


def _pools() -> Iterator[Fault]:
    for pool in Pool.objects.order_by("pk"):
        candidates = pool.candidates.count()
        if pool.texts and candidates != pool.size:
            yield Fault(f"pool {pool.pk}", f"has {candidates} candidates, and had {pool.size} when it came")
        for column in pool.columns.defer("values").order_by("pk"):
            if len(column.values) != 8 * pool.size:
                yield Fault(
                    f"column {column.pk} of pool {pool.pk}", f"{column.name}: not one number for each candidate"
                )


def _columns() -> Iterator[Fault]:
    for pool in Pool.objects.filter(texts=True).order_by("pk"):
        for version, right in _right(pool):
            name = PREFERENCE if version else GOLD
            stored = pool.columns.filter(version=version, name=name).first()
            if stored is None or bytes(stored.values) != right.tobytes():
                of = f"of version {version}" if version else "of the file"
                yield Fault(f"pool {pool.pk}", f"the column {name} {of} is not that of its rows", (pool.pk, version))


def _right(pool: Pool, wanted: int | None = -1) -> Iterator[tuple[int | None, np.ndarray]]:
    """What the columns gold and preference hold, from the rows: (version or None, (candidates,))."""
    rows = list(Candidate.objects.filter(pool=pool).order_by("pk").values_list("pk", "gold").iterator())
    place = {pk: n for n, (pk, _) in enumerate(rows)}
    if wanted in (-1, None):
        yield None, np.array([gold for _, gold in rows], "<f8")
    scores = CandidateScore.objects.filter(candidate__pool=pool, head=PREFERENCE).order_by("pk")
    for version in sorted(set(scores.order_by().values_list("version", flat=True).distinct())):
        if wanted in (-1, version):
            found = np.full(len(rows), np.nan, "<f8")
            for pk, value in scores.filter(version=version).values_list("candidate", "value").iterator():
                found[place[pk]] = value
            yield version, found


@transaction.atomic
def _write_again(keys: Sequence[tuple[int, int | None]]) -> int:
    for pk, version in keys:
        pool = Pool.objects.select_for_update(no_key=True).get(pk=pk)
        [(_, right)] = _right(pool, version)
        own = {"pool": pool, "version_id": version, "name": PREFERENCE if version else GOLD}
        PoolColumn.objects.update_or_create(**own, defaults={"values": right.tobytes()})
    return len(keys)


AGAIN = "Let the version score again: manage.py score, or the button on its page."
CHECKS = (
    Check("heads", "Pages compare heads over different responses.", AGAIN, _heads),
    Check(
        "pools", "Best-of-n curves of the pool are wrong or cannot be drawn.",
        "Import the pool again under another name.", _pools,
    ),
    Check(
        "columns", "Best-of-n curves show other numbers than the rows hold.",
        "Run manage.py doctor --repair.", _columns, _write_again,
    ),
)  # fmt: skip
