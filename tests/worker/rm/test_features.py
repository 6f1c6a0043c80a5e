import numpy as np
import pytest

from worker.rm import features
from worker.rm.types import Example


def named(response, prompt="How old is Ann?", context=("Ann is 41 years old. Bob is 37.",)):
    example = Example("k", "g", (("user", prompt),), response, context)
    return dict(zip(features.SURFACE, features.surface(example), strict=True))


def test_numbers_are_held_against_the_source():
    assert named("Ann is 41.")["numbers without source"] == 0
    assert named("Ann is 42.")["numbers without source"] == pytest.approx(0.1)


def test_shares_are_shares():
    found = named("ann is ann")
    assert found["words from source"] == 1
    assert found["repeated words"] == pytest.approx(1 / 3)
    assert found["finished"] == 0
    assert found["length"] == pytest.approx(0.03)


def test_an_empty_response_has_features():
    assert all(np.isfinite(value) for value in named("").values())


def test_a_fact_of_another_line_is_not_in_the_best_line():
    text = "Ann is 37 years old."
    example = Example("k", "g", (("user", "How old is Ann?"),), text, ("Ann is 41 years old. Bob is 37.",))
    found = dict(zip(features.SEGMENT, features.of_segments(example, [(0, len(text))])[0], strict=False))
    assert (found["numbers without source"], found["numbers not in best line"]) == (0, 1)


def test_likeness_is_a_cosine():
    x, y = np.float32([1, 0]), np.float32([[2, 0], [0, 1], [3, 0]])
    whole, each = features.likeness(x, x, y)
    assert each.tolist() == [[1, 0], [0, 0], [1, 1]]
    assert dict(zip(features.COSINES, whole.tolist(), strict=True))["least likeness"] == 0
