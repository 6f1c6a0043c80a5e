"""What one rater's judgements show about the rater, each with its interval. PURE numpy.

Every measure takes counts, so that a page can feed it from sums that are kept as judgements arrive; the functions
after them count arrays. A verdict on a pair is 1 (left or first), −1 (right or second) or 0 (neither).

The shares carry Wilson's interval. A rater is suspect when the interval leaves out `FAIR`, not when the value does.
"""

from collections.abc import Sequence

import numpy as np

from annotate.agreement.intervals import Interval, difference, median, wilson

FAIR = 0.5  # of position bias: which side a response stands on is drawn by lot
READING = 60.0  # characters a second, see `too_fast`


def position_bias(left: int, decided: int) -> Interval:
    """Share of decided comparisons won by the response on the left; `FAIR` without bias, ties left out.

    Of length bias no such number is fair in itself, since longer answers may be better: compare it with the others'.
    """
    return wilson(left, decided, "no comparison was decided")


def length_bias(longer: int, unequal: int) -> Interval:
    """Share of decided comparisons of responses of unequal length that the longer one won."""
    return wilson(longer, unequal, "no comparison of unequal lengths was decided")


def self_consistency(same: int, repeats: int) -> Interval:
    """Share of swapped repeats with the same verdict as the first time: a tie equals a tie, and nothing else.

    By chance alone a rater who decides by lot, never tying, is half consistent; one who always takes the left, never.
    """
    return wilson(same, repeats, "no task was judged twice")


def gold_accuracy(right: int, answered: int) -> Interval:
    """Share of gold tasks answered as known; where a tie is not the known answer, it is wrong."""
    return wilson(right, answered, "no gold task was answered")


def too_fast(fast: int, timed: int) -> Interval:
    """Share of timed judgements that were quicker than reading allows."""
    return wilson(fast, timed, "no judgement was timed")


def active_time(seconds: Sequence[float], counts: Sequence[int] | None = None) -> Interval:
    """Median active time with its interval from order statistics; `counts` where times were summed in buckets."""
    return median(seconds, counts)


def drift(early: tuple[float, int], late: tuple[float, int]) -> Interval:
    """How much a share (successes, n) changed from the earlier judgements to the later ones; 0 without drift."""
    return difference(early, late)


# ---- Counting


def count_left(verdicts: Sequence[int]) -> tuple[int, int]:
    """(won by the left, decided) of verdicts by position."""
    verdicts = np.asarray(verdicts)
    return int((verdicts > 0).sum()), int((verdicts != 0).sum())


def count_longer(verdicts: Sequence[int], first: Sequence[int], second: Sequence[int]) -> tuple[int, int]:
    """(won by the longer, decided of unequal length) of verdicts on responses of these lengths."""
    credit = np.sign(np.asarray(verdicts)) * np.sign(np.asarray(first) - np.asarray(second))
    return int((credit > 0).sum()), int((credit != 0).sum())


def count_same(verdicts: Sequence, again: Sequence) -> tuple[int, int]:
    """(equal, all) of two columns of verdicts by response, not by position: swap the repeat back before counting."""
    if len(verdicts) != len(again):
        raise ValueError("every repeat needs its first verdict")
    return sum(a == b for a, b in zip(verdicts, again, strict=True)), len(verdicts)


def count_fast(seconds: Sequence[float], characters: Sequence[int], speed: float = READING) -> tuple[int, int]:
    """(quicker than reading, timed): active time below characters shown / speed.

    People read English silently at 238 words a minute (Brysbaert, J. Mem. Lang. 109 (2019) 104047), some 24 characters
    a second with spaces; at 60 nobody has read it all. Chinese goes at a sixth of that (255 characters a minute,
    Trauzettel-Klosinski & Dietz, IOVS 53 (2012) 5452): a project in such a script wants a lower speed.
    """
    seconds, floor = np.asarray(seconds, dtype=float), np.asarray(characters, dtype=float) / speed
    return int((seconds < floor).sum()), len(seconds)
