"""Batches of similar length, filled by tokens."""

from collections.abc import Sequence

TOKENS = {"cpu": 4096, "cuda": 65536}  # padded tokens per forward, by kind of device


def by_tokens(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Positions in batches of at most `budget` padded tokens (one row may exceed it alone), longest first.

    Longest first, so that a batch that does not fit in memory fails at the start.
    """
    batches: list[list[int]] = []
    for n in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > budget:
            batches.append([])
        batches[-1].append(n)
    return batches
