"""Texts read together are explained as they are alone."""

from dataclasses import replace

import numpy as np
import pytest

from tests.worker.rm.conftest import dataset
from worker.rm import batching, finetune
from worker.rm.attribution import SLOW, attribute, known, methods
from worker.rm.attribution.batched import SHORT, batched
from worker.rm.recipe import Recipe, Tuning
from worker.rm.types import PREFERENCE


@pytest.fixture(scope="module")
def tuned(llama, tmp_path_factory):
    recipe = Recipe(name="full", tuning=Tuning(epochs=1, learning_rate=1e-3))
    return finetune.fit(dataset(8, 2), llama, recipe, work_dir=tmp_path_factory.mktemp("tuned")).model


@pytest.fixture
def texts(world):
    """Of several lengths."""
    return [replace(one, response=one.response * (1 + n % 4), spans=()) for n, one in enumerate(world.examples[:12])]


def test_each_is_in_one_batch_of_similar_lengths(trained, minilm, texts, monkeypatch):
    monkeypatch.setitem(batching.TOKENS, "cpu", 256)
    sizes = [len(one.ids) for one in minilm.encoder.encode_all(texts)]
    runs = list(batched(trained.model, texts))
    assert sorted(n for run in runs for n in run) == list(range(12))
    assert all(len(run) * max(sizes[n] for n in run) <= 256 for run in runs)
    assert all(min(sizes[n] for n in run) >= SHORT * max(sizes[n] for n in run) for run in runs)
    assert not known._read


@pytest.mark.parametrize("kind", ["heads", "tuned"])
def test_an_explanation_does_not_depend_on_company(kind, trained, tuned, texts):
    """By any method that takes what was read before: in a batch with padding, or alone, the same to 1e-5."""
    model = {"heads": trained.model, "tuned": tuned}[kind]
    ways = [key for key in methods(model, PREFERENCE) if key not in SLOW]
    alone = {(n, way): attribute(model, texts[n], PREFERENCE, way) for n in range(4) for way in ways}
    for n in (n for run in batched(model, texts[:4]) for n in run):
        for way in ways:
            found, other = attribute(model, texts[n], PREFERENCE, way), alone[n, way]
            np.testing.assert_allclose(parts(found), parts(other), atol=1e-5)
            assert found.residual == pytest.approx(other.residual, abs=1e-5)
            assert other.cost["tokens"] <= found.cost["tokens"] <= 1.4 * other.cost["tokens"]
            assert found.cost["seconds"] > 0


def parts(found):
    return [token.value for token in found.tokens] + [value for _, value in found.layers]
