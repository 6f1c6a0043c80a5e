"""What people said, as tensors, against counts by hand."""

import pytest
import torch

from worker.rm import labels, objectives
from worker.rm.recipe import Preference
from worker.rm.types import Comparison, Dataset, Ranking

SAID = [
    Comparison(0, 1, 1.0, 1.0, 3, "alice"),
    Comparison(0, 1, 0.5, 1.0, None, "bob"),
    Comparison(0, 1, 0.0, 2.0, 1, "charlie"),
    Comparison(1, 0, 1.0, 1.0, None, "alice"),
]


def of(recipe, comparisons=SAID, **more):
    return labels.of(Dataset((), comparisons, (), **more), recipe)


def test_pairs_are_columns_in_the_order_shown():
    found = of(Preference())
    assert found.members.tolist() == [[0, 1], [0, 1], [0, 1], [1, 0]]
    assert (found.p.tolist(), found.tie.tolist()) == ([1, 0.5, 0, 1], [0, 1, 0, 0])
    assert found.strength.tolist() == [3, 0, 1, 0]
    assert (found.raters, found.rater.tolist()) == (("alice", "bob", "charlie"), [0, 1, 2, 0])


def test_raters_of_one_pair_become_one_soft_label_that_counts_as_often():
    found = of(Preference(soft_labels=True))
    assert found.members.tolist() == [[0, 1], [1, 0]]
    assert found.p.tolist() == pytest.approx([(1 + 0.5 + 2 * 0) / 4, 1])
    assert (found.tie.tolist(), found.weight.tolist()) == ([0.25, 0], [4, 1])
    assert found.strength.tolist() == pytest.approx([(3 + 2 * 1) / 3, 0])
    assert found.rater.tolist() == [-1, -1]


def test_with_order_effects_of_their_own_raters_stay_apart():
    assert len(of(Preference(soft_labels=True, order="rater"))) == 4


@pytest.mark.parametrize("name", ["bradley_terry", "rao_kupper", "davidson"])
def test_soft_labels_lose_nothing(name):
    """The sum of the losses is the same as one by one."""
    scores = torch.tensor([0.3, -0.4])
    apart, together = of(Preference()), of(Preference(soft_labels=True))
    learned = objectives.Learned(torch.tensor([0.2]), torch.tensor([0.1]))
    sums = [objectives.preference_loss(scores, one, learned, Preference(objective=name)) for one in (apart, together)]
    assert float(sums[0]) == pytest.approx(float(sums[1]), rel=1e-6)


def test_smoothing_moves_every_label_towards_the_middle():
    assert of(Preference(smoothing=0.1)).p.tolist() == pytest.approx([0.9, 0.5, 0.1, 0.9])


def test_a_verdict_weighs_as_its_rater_is_reliable_and_the_unknown_one_as_the_mean():
    found = of(Preference(reliability=True), reliability={"alice": 0.8, "bob": 0.2})
    assert found.weight.tolist() == pytest.approx([0.8, 0.2, 2 * 0.5, 0.8])
    assert of(Preference(reliability=True)).weight.tolist() == [1, 1, 2, 1]
    assert of(Preference(), reliability={"alice": 0.0}).weight.tolist() == [1, 1, 2, 1]


def test_a_ranking_is_one_choice_after_another_in_the_order_shown():
    found = labels.choices([Ranking(((7,), (5,), (6,)), shown=(5, 6, 7), weight=2.0, rater="bob")])
    rows = sorted(zip(found.members.tolist(), found.target.tolist(), strict=True))
    assert rows == [([5, 6, -1], [1, 0, 0]), ([5, 6, 7], [0, 0, 1])]
    assert found.place.tolist() == [[0, 1, 0], [0, 1, 2]]
    assert (found.weight.tolist(), found.rater.tolist(), found.raters) == ([2, 2], [0, 0], ("bob",))


def test_what_was_not_ranked_is_never_chosen():
    found = labels.choices([Ranking(((2,),), shown=(1, 2, 3))])
    assert (found.members.tolist(), found.target.tolist()) == ([[1, 2, 3]], [[0, 1, 0]])


@pytest.mark.parametrize("size", [2, 3, 6, 7, 9])
def test_the_choices_of_a_tied_group_share_one_choice_per_step(size):
    found = labels.choices([Ranking((tuple(range(size)),), tuple(range(size)))])
    steps = (found.members >= 0).sum(1)
    shares = [float(found.weight[steps == k].sum()) for k in range(2, size + 1)]
    assert shares == pytest.approx([1.0] * (size - 1))
    chosen = torch.zeros(size).index_add_(
        0, found.members.clamp(min=0).flatten(), (found.target * found.weight[:, None]).flatten()
    )
    assert chosen.tolist() == pytest.approx([(size - 1) / size] * size)  # everyone is last equally often


def test_rankings_are_read_for_plackett_luce_alone_and_pairs_without_them():
    ranking = [Ranking(((0,), (1,), (2,)), (0, 1, 2))]
    assert of(Preference(objective="plackett_luce"), rankings=ranking).members.shape == (2, 3)
    assert of(Preference(objective="plackett_luce")).members.shape == (4, 2)
    assert of(Preference(), rankings=ranking).members.shape == (4, 2)


def test_a_batch_can_be_counted_from_0():
    found, named = labels.pairs([Comparison(9, 4, 1.0), Comparison(4, 2, 0.0), Comparison(0, 1, 1.0)]).some(
        torch.tensor([0, 1])
    ).within()  # fmt: skip
    assert named.tolist() == [2, 4, 9]
    assert found.members.tolist() == [[2, 1], [1, 0]]


def test_without_comparisons_there_are_no_labels():
    with pytest.raises(ValueError, match="no comparison"):
        of(Preference(), [])
    with pytest.raises(ValueError, match="no verdict weighs anything"):
        of(Preference(reliability=True), reliability=dict.fromkeys(("alice", "bob", "charlie"), 0.0))
    assert len(labels.choices([])) == 0
