from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from worker.rm import cache
from worker.rm.embed import POOLED, embed, key, pooling, segment_bounds
from worker.rm.types import Example


def same(one, other, tolerance=1e-5):
    for name in cache.NAMES:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance, err_msg=name)


def test_alone_is_as_in_company(minilm, world, embedded):
    """Padding, batch and order make no difference."""
    picked = [5, 0, 3]
    same(embed(minilm, [world.examples[n] for n in picked]), cache.take(embedded, np.array(picked)))


def test_a_text_is_embedded_once(minilm, world, tmp_path, monkeypatch):
    examples = [*world.examples[:3], world.examples[0]]
    first = embed(minilm, examples, cache_dir=tmp_path)
    monkeypatch.setattr("worker.rm.embed.forward", lambda *_: pytest.fail("computed again"))
    same(embed(minilm, examples[::-1], cache_dir=tmp_path), cache.take(first, np.arange(3, -1, -1)), 0)


def test_what_was_said_about_a_text_does_not_matter_to_the_cache(world):
    example = world.examples[0]
    assert key(example) == key(replace(example, key="other", spans=None, ratings={}))
    assert key(example) != key(replace(example, context=()))


def test_a_damaged_file_is_computed_again(minilm, world, tmp_path):
    before = embed(minilm, world.examples[:2], cache_dir=tmp_path)
    (path,) = tmp_path.glob("*/*.safetensors")
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    path.write_bytes(damaged)
    same(embed(minilm, world.examples[:2], cache_dir=tmp_path), before)
    path, *more = tmp_path.glob("*/*.safetensors")
    path.write_bytes(b"not a cache")
    same(embed(minilm, world.examples[:2], cache_dir=tmp_path), before)
    assert not more


def test_two_writers_at_once_leave_a_whole_cache(embedded, tmp_path):
    few = cache.take(embedded, np.arange(20))
    keys = [str(n) for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cache.write(tmp_path, keys[n:], cache.take(few, np.arange(n, 20))), range(8)))
    found, missing = cache.read(tmp_path, keys)
    assert not missing
    same(cache.gather(found, keys), few, 0)
    assert not list(tmp_path.glob("*.part"))


def test_progress_is_told_and_may_cancel(minilm, world, tmp_path):
    told = []

    def report(stage, done, total, metrics):
        told.append((stage, done, total))
        if done:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        embed(minilm, world.examples[:4], cache_dir=tmp_path, report=report)
    assert told == [("embed", 0, 4), ("embed", 4, 4)]


def test_pooled_rows_are_means(minilm, world):
    example = world.examples[1]
    encoded = minilm.encoder.encode(example)
    bounds = segment_bounds(example, encoded, "sentence")
    rows = pooling(encoded, bounds, "mean")
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)
    segments = rows[len(POOLED) :]
    assert ((segments > 0).sum(0)[slice(*encoded.response_span)] == 1).all()
    assert pooling(encoded, bounds, "last")[0].tolist() == [0] * (len(encoded.ids) - 1) + [1]
    assert pooling(encoded, bounds, "cls")[0].tolist() == [1] + [0] * (len(encoded.ids) - 1)


@pytest.mark.parametrize("response", ["", "   ", "👩‍👧", "one"])
def test_odd_responses_are_embedded(minilm, response):
    found = embed(minilm, [Example("k", "g", (("user", "Hi"),), response)])
    assert all(np.isfinite(getattr(found, name)).all() for name in cache.NAMES)


def test_a_response_that_does_not_fit_keeps_the_segments_that_do(minilm):
    found = embed(minilm, [Example("k", "g", (("user", "Hi"),), "A sentence of words. " * 200)])
    kept, tokens, cut = found.sizes[0]
    assert tokens == 509
    assert 0 < kept < 200
    assert cut > 0
