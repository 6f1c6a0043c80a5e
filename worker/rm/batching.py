"""What goes through a backbone together: rows of similar length for a forward, prompt groups for a training step."""

import random
from collections.abc import Sequence

TOKENS = {"cpu": 4096, "cuda": 65536}  # padded tokens per forward without gradients, by kind of device
TRAIN_TOKENS = {"cpu": 4096, "cuda": 16384}  # with gradients
_CHUNK = 50  # steps whose groups are sorted by length together


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


def in_order(tokens: Sequence[int], budget: int) -> list[list[int]]:
    """Positions in runs of at most `budget` tokens in all (one alone may exceed it), in their order."""
    runs: list[list[int]] = []
    room = 0
    for n, size in enumerate(tokens):
        if not runs or size > room:
            runs.append([])
            room = budget
        runs[-1].append(n)
        room -= size
    return runs


def steps(verdicts: Sequence[int], lengths: Sequence[int], per_step: int, seed: str) -> list[list[int]]:
    """Prompt groups (positions) in steps of about `per_step` verdicts, in an order that the seed alone decides.

    A group is never cut: each of its responses is read once for all verdicts on it. A step's groups are of similar
    length, drawn among _CHUNK steps; a group without verdicts counts as one.
    """
    rng = random.Random(seed)  # nosec B311  # an order, no secret
    sizes = [max(1, count) for count in verdicts]
    shuffled = rng.sample(range(len(sizes)), len(sizes))
    found: list[list[int]] = []
    for chunk in in_order([sizes[n] for n in shuffled], _CHUNK * per_step):
        order = sorted((shuffled[n] for n in chunk), key=lambda n: -lengths[n])
        found += [[order[n] for n in run] for run in in_order([sizes[n] for n in order], per_step)]
    rng.shuffle(found)
    return found
