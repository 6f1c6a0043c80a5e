"""Pairs that people told apart and the model cannot, counted on every run, whatever the trainer."""

from dataclasses import replace

import pytest

from tests.worker.rm.conftest import dataset
from worker.rm import finetune, training
from worker.rm.recipe import Encoding, Recipe, Tuning


@pytest.fixture(scope="module")
def data():
    """Two pairs of one prompt differ past the end alone, one of them judged twice; another has the same text."""
    world = dataset(12, 3)
    pair, other, same = world.train[0], world.train[-1], world.train[6]
    examples = list(world.examples)
    for one in (pair, other):
        long = "The river is long and wide. " * 8
        examples[one.first] = replace(examples[one.first], response=f"{long}It is blue.", spans=None)
        examples[one.second] = replace(examples[one.second], response=f"{long}It is red.", spans=None)
    examples[same.first] = replace(examples[same.first], response=examples[same.second].response, spans=None)
    turned = replace(pair, first=pair.second, second=pair.first)
    return replace(world, examples=examples, train=[*world.train, turned], categories=())


@pytest.mark.parametrize(("most", "alike"), [(32, 2), (128, 0)])
def test_heads_count_them(data, tmp_path, most, alike):
    own = Recipe(encoding=Encoding(max_length=most))
    found = training.fit(data, "minilm", own, cache_dir=tmp_path, work_dir=tmp_path)
    assert found.info["read_alike"] == alike


@pytest.mark.parametrize(("most", "alike"), [(32, 2), (256, 0)])
def test_fine_tunes_count_them(data, llama, tmp_path, most, alike):
    own = Recipe(name="lora", encoding=Encoding(max_length=most), tuning=Tuning(pairs_per_step=64))
    assert finetune.fit(data, llama, own, work_dir=tmp_path).info["read_alike"] == alike
