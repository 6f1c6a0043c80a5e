"""What a check of the store is, and what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    subject: str  # what it is about, as in "task 17"
    says: str  # what is wrong with it
    key: object = None  # what its repair goes by; None where nothing can be derived


@dataclass(frozen=True)
class Check:
    """One promise of the store, looked at row by row so that memory stays flat."""

    name: str
    means: str  # what a fault of it means
    advice: str  # what to do about one that stays
    find: Callable[[], Iterator[Fault]]
    repair: Callable[[Sequence], int] | None = None  # keys → how many were put right, in transactions of its own


def parts(keys: Sequence, size: int = 500) -> Iterator[Sequence]:
    """So many keys at a time as one statement takes."""
    return (keys[start : start + size] for start in range(0, len(keys), size))
