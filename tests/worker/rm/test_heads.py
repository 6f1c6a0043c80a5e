"""The linear heads beside the preference, on a handful of rows."""

import pytest
import torch

from worker.rm import fitting
from worker.rm.layers import Curve, Linear, Mlp


def test_a_segment_that_a_category_says_nothing_of_does_not_count():
    x = torch.tensor([1.0] * 10 + [-1.0] * 10 + [1.0] * 20)[:, None]
    one = torch.tensor([1] * 10 + [0] * 10 + [-1] * 20, dtype=torch.int8)
    labels = torch.stack([one, (torch.arange(40) % 2).to(torch.int8)], dim=1)
    assert fitting.fit_segments(x, labels, torch.ones(1), 1.0)(x)[0, 0] > 0


def test_classes_are_balanced_so_a_rare_flaw_is_even_where_nothing_tells():
    x, labels = torch.zeros(100, 1), torch.tensor([1] * 5 + [0] * 95, dtype=torch.int8)[:, None]
    assert fitting.fit_segments(x, labels, torch.ones(1), 1.0)(x)[0, 0] == pytest.approx(0, abs=1e-3)


def test_steps_are_told_apart_three_ways():
    x = torch.eye(3).repeat(30, 1)
    label = torch.tensor([-1.0, 0.0, 1.0]).repeat(30)
    label[:9] = torch.nan
    found = fitting.fit_steps(x, label, torch.ones(3), 0.1)(torch.eye(3))
    assert found.argmax(1).tolist() == [0, 1, 2]


def test_step_chances_without_a_clue_are_the_shares():
    label = torch.tensor([-1.0] * 20 + [0.0] * 30 + [1.0] * 50)
    found = fitting.fit_steps(torch.zeros(100, 1), label, torch.ones(1), 1.0)(torch.zeros(1, 1)).softmax(1)
    assert found[0].tolist() == pytest.approx([0.2, 0.3, 0.5], abs=0.01)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
def test_quantile_heads_follow_a_spread_that_grows(level):
    """y ~ N(2x, 1) has the quantile 2x + z(level)."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(4000, 1, generator=draw)
    y = 2 * x[:, 0] + torch.randn(4000, generator=draw)
    y[:100] = torch.nan
    found = fitting.fit_quantiles(x, y, (level,), torch.ones(1), 1.0)
    z = float(torch.distributions.Normal(0, 1).icdf(torch.tensor(level)))
    assert found(torch.tensor([[-1.0], [1.0]]))[:, 0].tolist() == pytest.approx([z - 2, z + 2], abs=0.15)
    assert float((y[100:] < found(x)[100:, 0]).float().mean()) == pytest.approx(level, abs=0.03)


def test_layers_by_hand():
    x = torch.tensor([[3.0, 1.0]])
    linear = Linear(torch.tensor([[1.0, -1.0]]), torch.tensor([1.0, 1.0]), torch.tensor([0.5]))
    assert linear(x).tolist() == [[2.5]]
    mlp = Mlp(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[-2.0]]), torch.tensor([[3.0]]), torch.tensor([1.0, 1.0]))
    assert mlp(x).tolist() == [[0.0]]
    curve = Curve(torch.tensor([10.0, 20.0]), torch.tensor([1.0, 3.0]))
    assert curve(torch.tensor([5.0, 15.0, 99.0])).tolist() == [1.0, 2.0, 3.0]
