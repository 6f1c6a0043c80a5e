from itertools import combinations

import numpy as np
import pytest

from inspector.stats.selection import choose, ranking, summary


def test_the_best_of_the_first_n_is_chosen_and_of_equals_the_first():
    scores = [1.0, 3.0, 3.0, 9.0]
    assert [(one.place, one.tied) for one in (choose(scores, n) for n in (1, 2, 3, 4))] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (3, 0),
    ]


@pytest.mark.parametrize("n", [0, 3])
def test_there_must_be_n(n):
    with pytest.raises(ValueError, match=f"best of {n}"):
        choose([1.0, 2.0], n)


def test_equals_share_a_rank_in_their_order():
    assert ranking([0.5, 2.0, 0.5, -1.0, 2.0]) == [(1, 1), (1, 4), (3, 0), (3, 2), (5, 3)]


def test_the_summary_by_brute_force():
    draw = np.random.default_rng(0)
    pool = [(draw.normal(size=5).tolist(), draw.normal(size=5).tolist()) for _ in range(3)]
    found = summary(pool, 2)
    every = [[gold[max(pair, key=proxy.__getitem__)] for pair in combinations(range(5), 2)] for proxy, gold in pool]
    assert found.expected_gold == pytest.approx(np.mean([np.mean(golds) for golds in every]))
    assert found.chosen_gold == pytest.approx(np.mean([g[int(p[1] > p[0])] for p, g in pool]))
    assert found.random_gold == pytest.approx(np.mean([g for _, g in pool]))
    assert found.best_gold == pytest.approx(np.mean([max(g[:2]) for _, g in pool]))
    assert (found.prompts, found.candidates, found.tied) == (3, 5, 0)


def test_ties_are_counted_by_prompt():
    pool = [([1.0, 1.0, 0.0], [0.0, 1.0, 2.0]), ([1.0, 2.0, 2.0], [0.0, 0.0, 0.0])]
    assert [summary(pool, n).tied for n in (1, 2, 3)] == [0, 1, 2]
