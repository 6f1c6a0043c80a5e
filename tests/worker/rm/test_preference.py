"""The fit of the preference head, on inputs whose truth is known."""

import pytest
import torch

from worker.rm import preference
from worker.rm.types import silent


def pairs_of(z, p):
    count = len(p)
    return preference.Pairs(z, p, torch.ones(count), torch.arange(count) % 5, order=False)


def test_weights_are_those_of_the_inputs_as_given_whatever_their_scale():
    draw = torch.Generator().manual_seed(3)
    z = torch.randn(4000, 2, generator=draw) * torch.tensor([1.0, 100.0])
    p = torch.bernoulli(torch.sigmoid(z @ torch.tensor([1.0, 0.01])), generator=draw)
    found = preference.fit(pairs_of(z, p), torch.ones(2), [1.0], silent)
    assert found.head.weights.tolist() == pytest.approx([1.0, 0.01], rel=0.15)
    assert found.temperature == pytest.approx(1.0, abs=0.15)


def test_labels_by_chance_get_the_highest_temperature_because_folds_are_held_out():
    draw = torch.Generator().manual_seed(3)
    z = torch.randn(100, 50, generator=draw)
    p = torch.bernoulli(torch.full((100,), 0.5), generator=draw)
    assert preference.fit(pairs_of(z, p), torch.ones(50), [0.1], silent).temperature > 5
