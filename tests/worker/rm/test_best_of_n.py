import math

import pytest

from worker.rm.best_of_n import best, ranks


@pytest.mark.parametrize(
    ("scores", "expected", "first"),
    [
        ([0.5, 2.0, 1.0], [3, 1, 2], 1),
        ([1.0, 2.0, 2.0, 0.0], [3, 1, 1, 4], 1),
        ([1.0, 1.0, 1.0], [1, 1, 1], 0),
        ([math.nan, -3.0], [None, 1], 1),
        ([math.nan], [None], None),
        ([-7.0], [1], 0),
    ],
)
def test_ranks_share_the_place_of_the_first_of_equals(scores, expected, first):
    assert ranks(scores) == expected
    assert best(scores) == first
