import numpy as np
import pytest
from scipy import stats

from annotate.agreement import Undefined
from inspector.stats.accuracy import accuracy_by_slice, auroc, pair_accuracy, ranks


def test_accuracy_leaves_undecided_pairs_out_and_halves_a_zero_margin():
    found = pair_accuracy([2.0, -1.0, 0.0, 3.0, 5.0], [1, 1, 1, 0.2, 0.5])
    assert (found.value, found.n) == (pytest.approx(1.5 / 4), 4)


def test_accuracy_without_a_decided_pair_says_why():
    assert "no pair" in pair_accuracy([1.0], [0.5]).why


def test_accuracy_by_slice():
    found = accuracy_by_slice([1, 1, -1], [1, 0, 0], ["math", "math", "chat"])
    assert {name: (i.value, i.n) for name, i in found.items()} == {"chat": (1.0, 1), "math": (0.5, 2)}


def test_auroc_is_the_share_of_ordered_pairs():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 5, 60), rng.random(60) < 0.4
    up, down = scores[labels][:, None], scores[~labels][None, :]
    assert auroc(scores, labels) == pytest.approx(((up > down) + 0.5 * (up == down)).mean())


def test_auroc_of_one_class_is_undefined():
    with pytest.raises(Undefined, match="empty"):
        auroc([1, 2], [True, True])


def test_ranks_share_their_mean():
    values = np.random.default_rng(1).integers(0, 9, 50)
    assert ranks(values) == pytest.approx(stats.rankdata(values))
