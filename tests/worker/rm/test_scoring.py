from dataclasses import replace

import numpy as np
import pytest

from worker.rm import checkpoint, scoring
from worker.rm.types import PREFERENCE


def test_scores_do_not_depend_on_company(trained, world):
    together = scoring.score(trained.model, world.examples[:12])
    for n in (0, 7):
        alone = scoring.score(trained.model, [world.examples[n]])
        for head in trained.model.heads:
            assert alone.heads[head][0] == pytest.approx(together.heads[head][n], abs=1e-5)


def test_scores_do_not_depend_on_padding(trained, world):
    long = replace(world.examples[1], response=world.examples[1].response * 20)
    padded = scoring.score(trained.model, [world.examples[0], long])
    alone = scoring.score(trained.model, [world.examples[0]])
    assert padded.heads[PREFERENCE][0] == pytest.approx(alone.heads[PREFERENCE][0], abs=1e-5)


def test_scores_are_those_of_training(trained, world, embedded):
    found = scoring.score(trained.model, world.examples).heads[PREFERENCE]
    np.testing.assert_allclose(found, trained.model(embedded)[:, 0], atol=1e-5)
    pairs = [(pair.first, pair.second) for pair in world.test]
    margins = [found[a] - found[b] for a, b in pairs]
    np.testing.assert_allclose(margins, trained.held_out.margins, atol=1e-5)
    assert found.dtype == np.float32


def test_mean_and_std_are_of_the_training_scores(trained, world):
    kept = [one for one in world.examples if one.group not in world.test_groups]
    scores = scoring.score(trained.model, kept).heads[PREFERENCE]
    assert (trained.model.mean, trained.model.std) == pytest.approx((scores.mean(), scores.std()), abs=1e-4)


def test_a_saved_model_scores_the_same(trained, world, tmp_path):
    path = tmp_path / "deep" / "model.safetensors"
    digest = checkpoint.save(trained.model, path)
    loaded = checkpoint.load(path)
    assert {checkpoint.save(loaded, tmp_path / "again") for _ in range(8)} == {digest}
    one, other = (scoring.score(model, world.examples[:4]).heads for model in (trained.model, loaded))
    assert {head: values.tolist() for head, values in one.items()} == {h: v.tolist() for h, v in other.items()}
    assert (loaded.temperature, loaded.heads) == (trained.model.temperature, trained.model.heads)


def test_another_file_is_not_a_model(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(2)}, tmp_path / "x")
    with pytest.raises(ValueError, match="not a reward model"):
        checkpoint.load(tmp_path / "x")
    (tmp_path / "y").write_bytes(b"junk")
    with pytest.raises(ValueError, match="not a reward model"):
        checkpoint.load(tmp_path / "y")


def test_another_encoding_is_refused(trained, world):
    with pytest.raises(ValueError, match="differs"):
        scoring.score(replace(trained.model, encode_hash="0"), world.examples[:1])


def test_truncation_is_told(trained, world):
    long = replace(world.examples[0], response="A word after a word. " * 300)
    found = scoring.score(trained.model, [world.examples[0], long])
    assert found.truncated.tolist() == [False, True]
    assert found.tokens.tolist()[1] == 509


def test_nothing_is_not_scored(trained):
    with pytest.raises(ValueError, match="nothing to score"):
        scoring.score(trained.model, [])
