"""What people said of held-out prompts teaches a fine-tune nothing, neither by verdicts nor by ratings and spans."""

from dataclasses import replace

import torch

from tests.worker.rm.conftest import dataset
from tests.worker.rm.test_finetune import fit, recipe
from worker.rm import targets
from worker.rm.recipe import Extras
from worker.rm.types import SpanLabel


def changed(data):
    """The same training part; everything that was said of the held-out one is something else."""
    held = targets.held(data)
    marked = lambda one: (SpanLabel(0, len(one.response), "wrong"),)  # noqa: E731
    examples = [
        replace(one, ratings={"quality": 100.0}, spans=marked(one)) if away else one
        for one, away in zip(data.examples, held, strict=True)
    ]
    return replace(data, examples=examples, test=[replace(one, p=1 - one.p) for one in data.test])


def test_a_fine_tune_is_the_same_whatever_was_said_of_what_is_held_out(llama, tmp_path):
    data, own = dataset(10, 3), recipe(extras=Extras(quantiles=(0.5,)))
    one = fit(data, llama, own, tmp_path / "one").model
    other = fit(changed(data), llama, own, tmp_path / "other").model
    assert one.tensors.keys() == other.tensors.keys()
    assert all(torch.equal(value, other.tensors[name]) for name, value in one.tensors.items())
