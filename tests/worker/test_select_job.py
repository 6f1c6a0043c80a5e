"""The parts of the select job that need no model."""

import numpy as np
import pytest

from worker.jobs.select import _best, _first_of_each, _places


@pytest.mark.parametrize(
    ("batch", "tasks", "held", "places"),
    [
        (20, 30, 10, (15, 5)),
        (100, 30, 10, (30, 10)),
        (20, 0, 10, (0, 10)),
        (20, 10, 0, (10, 0)),
        (1, 30, 10, (1, 0)),
        (20, 0, 0, (0, 0)),
        (9, 1, 11, (1, 8)),
    ],
)
def test_places_go_as_the_tasks_are_and_are_all_filled(batch, tasks, held, places):
    assert _places(batch, tasks, held) == places
    assert sum(places) == min(batch, tasks + held)
    assert places[0] <= tasks
    assert places[1] <= held


def test_a_task_with_several_pairs_is_worth_its_best():
    assert _best(np.array([0, 0, 2]), np.array([1.0, 3.0, 2.0]), 3).tolist() == [3.0, 1.0, 2.0]
    assert _first_of_each(np.array([2, 0, 2]), 4).tolist() == [2, 0, 1, 3]
