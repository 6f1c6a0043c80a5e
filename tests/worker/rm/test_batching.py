from hypothesis import given
from hypothesis import strategies as st

from worker.rm.batching import by_tokens


@given(st.lists(st.integers(1, 90), max_size=50), st.integers(1, 300))
def test_batches_hold_everything_once_within_the_budget(lengths, budget):
    batches = by_tokens(lengths, budget)
    assert sorted(n for batch in batches for n in batch) == list(range(len(lengths)))
    assert all(len(b) == 1 or len(b) * max(lengths[n] for n in b) <= budget for b in batches)


def test_similar_lengths_share_a_batch():
    assert by_tokens([1, 9, 1, 9], 18) == [[1, 3], [0, 2]]
