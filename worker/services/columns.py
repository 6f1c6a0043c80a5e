"""Numbers of a pool's candidates, kept as columns."""

from collections.abc import Mapping

import numpy as np
from django.db import transaction

from worker.models import Pool, PoolColumn, Version

GOLD = "gold"  # the column that every pool has


@transaction.atomic
def keep_columns(*, pool: Pool, columns: Mapping[str, np.ndarray], version: Version | None = None) -> None:
    """In place of all that the version (or the file) said before; each (candidates,) in the order of their ids."""
    for name, values in columns.items():
        if len(values) != pool.size:
            raise ValueError(f"{name} has {len(values)} numbers for {pool.size} candidates")
    PoolColumn.objects.filter(pool=pool, version=version).delete()
    for name, values in columns.items():  # one at a time: each may be many megabytes
        PoolColumn.objects.create(pool=pool, version=version, name=name, values=np.asarray(values, "<f8").tobytes())


def column_names(pool: Pool, version: Version | None = None) -> list[str]:
    """What there is of the version, or of the file."""
    return list(PoolColumn.objects.filter(pool=pool, version=version).order_by("pk").values_list("name", flat=True))


def column(pool: Pool, name: str, version: Version | None = None) -> np.ndarray:
    """(candidates,) as they were kept; PoolColumn.DoesNotExist."""
    found = PoolColumn.objects.values_list("values", flat=True).get(pool=pool, version=version, name=name)
    return np.frombuffer(found, "<f8")
