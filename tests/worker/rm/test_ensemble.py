"""Ensembles against values by hand."""

import pytest
import torch

from worker.rm import ensemble
from worker.rm.recipe import Extras

MEMBERS = torch.tensor([[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (Extras(combine="mean"), 3.0),
        (Extras(combine="wco"), 1.0),
        (Extras(combine="uwo", uwo_weight=0.5), 3 - 0.5 * 3.5),  # Σ (R − 3)² / 4 = 14 / 4
        (Extras(combine="quantile", quantile=0.25), 1.75),
    ],
)
def test_members_are_combined_row_by_row(recipe, expected):
    assert ensemble.combine(MEMBERS, recipe).tolist() == pytest.approx([expected, 0.0])


def test_the_worst_member_is_never_above_the_mean():
    draw = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    wco, mean = (ensemble.combine(draw, Extras(combine=how)) for how in ("wco", "mean"))
    assert (wco <= mean).all()


def test_disagreement_is_the_deviation_of_the_population():
    assert ensemble.disagreement(MEMBERS).tolist() == pytest.approx([3.5**0.5, 0.0])


def test_a_bootstrap_draws_prompts_whole():
    groups = ["a", "a", "b", "c", "c", "c"]
    found = ensemble.bootstrap(groups, 4, seed=3)
    assert (found[:, 0] == found[:, 1]).all()
    assert (found[:, 3] == found[:, 5]).all()
    assert (found[:, [0, 2, 3]].sum(1) == 3).all()
    assert len({tuple(row) for row in found.tolist()}) > 1
    assert torch.equal(found, ensemble.bootstrap(groups, 4, seed=3))


def test_one_prompt_is_drawn_every_time():
    assert ensemble.bootstrap(["a", "a"], 2).tolist() == [[1, 1], [1, 1]]
