import numpy as np
import pytest

from inspector.stats.rules import combine

MEMBERS = np.array([[1.0, 4.0], [3.0, 4.0]])


def test_the_rules_of_the_paper():
    assert combine(MEMBERS, "mean", 0.5).tolist() == [2, 4]
    assert combine(MEMBERS, "wco", 0.5).tolist() == [1, 4]
    assert combine(MEMBERS, "uwo", 0.5).tolist() == [2 - 0.5 * 1, 4]  # the population's variance


@pytest.mark.parametrize("seed", range(3))
def test_the_worst_is_never_above_the_mean_and_agrees_with_the_trainer(seed):
    import torch

    from worker.rm.ensemble import combine as trained
    from worker.rm.recipe import Extras

    members = np.random.default_rng(seed).normal(size=(5, 40))
    assert (combine(members, "wco", 0.3) <= combine(members, "mean", 0.3)).all()
    for rule in ("mean", "wco", "uwo"):
        theirs = trained(torch.from_numpy(members.T), Extras(members=5, combine=rule, uwo_weight=0.3))
        assert combine(members, rule, 0.3) == pytest.approx(theirs.numpy(), abs=1e-12)
