"""What a schema makes of what it asked."""

import pytest

from annotate.schema import Criterion, rubric_mean

HELPFUL = Criterion(key="helpful", label="Helpful", weight=3)  # 1 … 5
TRUE = Criterion(key="true", label="True", kind="yes_no")
WORDS = Criterion(key="words", label="Words", kind="number", low=0, high=200, weight=0)


@pytest.mark.parametrize(
    ("ratings", "mean"),
    [
        ({"helpful": 5, "true": 1}, 1.0),
        ({"helpful": 1, "true": 0}, 0.0),
        ({"helpful": 4, "true": 0, "words": 200}, 3 * 0.75 / 4),
        ({"helpful": 2}, 0.25),  # what was not rated does not pull it down
        ({"helpful": 7, "true": 1}, 1.0),  # a level of an older scale
        ({"words": 100}, None),  # weighs nothing
        ({}, None),
        ({"gone": 3}, None),
    ],
)
def test_ratings_in_one_number_by_weight(ratings, mean):
    assert rubric_mean((HELPFUL, TRUE, WORDS), ratings) == mean
