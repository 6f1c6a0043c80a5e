"""Statistics kept for a page."""

import base64
from collections.abc import Iterable

import numpy as np

from worker.models import Summary, Version


def keep(*, version: Version, name: str, made_of: str, values: dict) -> None:
    """In place of what was kept under the name; two at once keep one of both, which are the same."""
    keep_all(rows=[Summary(version=version, name=name, made_of=made_of, values=values)])


def keep_all(*, rows: Iterable[Summary]) -> None:
    """The same of several, no two of one version and name."""
    Summary.objects.bulk_create(
        rows,
        batch_size=100,
        update_conflicts=True,
        unique_fields=["version", "name"],
        update_fields=["made_of", "values"],
    )


def packed(values: np.ndarray, kind: str) -> str:
    """Many numbers as one text, which is read a hundred times as fast as a list of them."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)
