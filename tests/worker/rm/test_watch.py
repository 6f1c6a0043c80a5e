"""The live held-out accuracy: right, seldom, and without a trace in what is learnt."""

import numpy as np
import pytest

from annotate.agreement import pair_accuracy
from tests.worker.rm.conftest import dataset
from tests.worker.rm.test_finetune import fit, recipe
from worker.rm import watch
from worker.rm.reading import inputs
from worker.rm.types import Comparison


@pytest.fixture(scope="module")
def data():
    return dataset(16, 4)


def test_a_run_is_looked_at_at_equal_distances_and_never_at_its_end():
    assert watch.moments(100, learnt=10**6, read=100) == {n * 100 // 11 for n in range(1, 11)}
    assert watch.moments(100, learnt=1000, read=75) == {33, 66}  # 3 · 5 % of 1,000 is 150
    assert watch.moments(1, learnt=10**6, read=100) == set()
    assert watch.moments(100, learnt=100, read=1000) == set()


def test_of_many_held_out_pairs_some_are_looked_at_and_no_tie():
    test = [Comparison(0, 1, 1.0)] * 500 + [Comparison(0, 1, 0.5)] * 500
    found = watch.watched(test)
    assert 150 < len(found) <= watch.PAIRS
    assert set(found.p.tolist()) == {1.0}
    assert len(watch.watched([])) == 0


@pytest.mark.parametrize("more", [{}, {"checkpointing": True}], ids=["plain", "checkpointing"])
def test_what_is_seen_is_the_accuracy_and_changes_nothing(data, llama, tmp_path, monkeypatch, more):
    points = []
    tell = lambda stage, done, total, metrics: points.append((done, total, metrics))  # noqa: E731
    monkeypatch.setattr(watch, "SHARE", 9.0)
    own = recipe("lora", lora_dropout=0.3, **more)
    seen = fit(data, llama, own, tmp_path / "seen", report=tell)
    looks = [(done, metrics) for done, _, metrics in points if "held_out_accuracy" in metrics]
    assert len(looks) == min(watch.TIMES, len(seen.info["loss"]) - 1)
    assert {metrics["held_out_pairs"] for _, metrics in looks} == {sum(pair.p != 0.5 for pair in data.test)}
    monkeypatch.setattr(watch, "SHARE", 0.0)
    unseen = fit(data, llama, own, tmp_path / "unseen")
    assert seen.info["loss"] == unseen.info["loss"]
    assert np.array_equal(seen.held_out.margins, unseen.held_out.margins)


def test_a_look_after_the_last_step_would_give_the_accuracy_of_the_version(data, llama, tmp_path):
    own = recipe()
    found = fit(data, llama, own, tmp_path)
    network = found.model.network
    read = inputs(network.backbone.encoder, data.examples, own.heads.rule)
    seen = watch.look(network, read, watch.watched(data.test), own)
    version = pair_accuracy(found.held_out.margins, found.held_out.p)
    assert seen == {"held_out_accuracy": pytest.approx(version.value), "held_out_pairs": version.n}
