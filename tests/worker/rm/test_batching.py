from hypothesis import given
from hypothesis import strategies as st

from worker.rm.batching import by_tokens, in_order, steps


@given(st.lists(st.integers(1, 90), max_size=50), st.integers(1, 300))
def test_batches_hold_everything_once_within_the_budget(lengths, budget):
    batches = by_tokens(lengths, budget)
    assert sorted(n for batch in batches for n in batch) == list(range(len(lengths)))
    assert all(len(b) == 1 or len(b) * max(lengths[n] for n in b) <= budget for b in batches)


def test_similar_lengths_share_a_batch():
    assert by_tokens([1, 9, 1, 9], 18) == [[1, 3], [0, 2]]


@given(st.lists(st.integers(1, 90), max_size=50), st.integers(1, 300))
def test_runs_keep_the_order_within_the_budget(tokens, budget):
    runs = in_order(tokens, budget)
    assert [n for run in runs for n in run] == list(range(len(tokens)))
    assert all(len(run) == 1 or sum(tokens[n] for n in run) <= budget for run in runs)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(1, 40))
def test_every_group_is_in_one_step_whole(verdicts, per_step):
    found = steps(verdicts, [10] * len(verdicts), per_step, "0 0")
    assert sorted(n for step in found for n in step) == list(range(len(verdicts)))
    assert all(len(step) == 1 or sum(max(1, verdicts[n]) for n in step) <= per_step for step in found)


def test_the_order_follows_from_the_seed():
    one, again, other = (steps([3] * 40, list(range(40)), 12, seed) for seed in ("1 0", "1 0", "1 1"))
    assert one == again
    assert one != other
