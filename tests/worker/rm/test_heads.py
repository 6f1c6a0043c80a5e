"""The linear heads, on a handful of rows."""

import pytest
import torch

from worker.rm.heads import fit_preference, fit_segments


def test_the_order_effect_has_its_prior_and_is_learnt_only_when_asked():
    z, ones, white = torch.zeros(20, 1), torch.ones(20), torch.eye(1)
    gamma = fit_preference(z, ones, ones, 1.0, white, order=True).gamma
    assert gamma == pytest.approx(2.128, abs=0.05)  # where 20·σ(−γ) = γ
    assert fit_preference(z, ones, ones, 1.0, white, order=False).gamma == 0


def test_a_segment_that_a_category_says_nothing_of_does_not_count():
    x = torch.tensor([1.0] * 10 + [-1.0] * 10 + [1.0] * 20)[:, None]
    one = torch.tensor([1] * 10 + [0] * 10 + [-1] * 20)
    labels = torch.stack([one, torch.arange(40) % 2], dim=1)
    assert fit_segments(x, labels, torch.ones(1), 1.0)(x)[0, 0] > 0
