"""Steps: their labels by segment, and their scores as one."""

import math

import numpy as np
import pytest
import torch

from worker.rm import steps
from worker.rm.types import StepLabel

BOUNDS = np.array([[0, 10], [10, 20], [20, 30], [30, 40]])
CHANCES = torch.tensor([0.9, 0.5, 0.8, 0.7])  # of a step not being wrong
LOGITS = torch.stack([(1 - CHANCES).log(), (CHANCES / 4).log(), (CHANCES * 3 / 4).log()], 1)
OWNER = torch.tensor([0, 0, 0, 2])


def test_a_segment_has_the_label_of_the_step_that_covers_most_of_it():
    found = steps.label(BOUNDS, [StepLabel(0, 18, 1.0), StepLabel(18, 30, -1.0)])
    assert found[:3].tolist() == [1.0, 1.0, -1.0]
    assert math.isnan(found[3])


def test_neutral_counts_as_right():
    assert steps.right(LOGITS).exp().tolist() == pytest.approx(CHANCES.tolist())


@pytest.mark.parametrize(("how", "first"), [("product", 0.9 * 0.5 * 0.8), ("min", 0.5), ("last", 0.8)])
def test_steps_become_one_score(how, first):
    """The second response has no steps, so nothing speaks against it."""
    assert steps.aggregate(LOGITS, OWNER, 3, how).tolist() == pytest.approx([first, 1.0, 0.7])


@pytest.mark.parametrize("how", ["product", "min", "last"])
def test_far_out_scores_stay_between_0_and_1(how):
    found = steps.aggregate(torch.tensor([[1e4, 0.0, 0.0], [-1e4, 0.0, 0.0]]), torch.tensor([0, 1]), 2, how)
    assert found.tolist() == [0.0, 1.0]
    assert steps.aggregate(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), 2, how).tolist() == [1.0, 1.0]
