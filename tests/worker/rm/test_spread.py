"""Two processes do what one does."""

import subprocess
from dataclasses import replace

import pytest
import torch

from tests.worker.rm.bodies import recipe
from tests.worker.rm.conftest import dataset
from worker.rm import finetune, spread
from worker.rm.recipe import Extras


def small(**tuning):
    return recipe("full", epochs=1, save_every=1000, **tuning).model_copy(update={"extras": Extras()})


@pytest.fixture(scope="module")
def both(tmp_path_factory, llama):
    data = dataset(12, 3)
    reports = []
    several = spread.fit(
        data,
        llama,
        small(),
        devices=2,
        work_dir=tmp_path_factory.mktemp("two"),
        report=lambda *told: reports.append(told),
    )
    return finetune.fit(data, llama, small(), work_dir=tmp_path_factory.mktemp("one")), several, reports


def test_losses_and_scores_are_those_of_one_process(both):
    one, two, _ = both
    assert two.info["loss"] == pytest.approx(one.info["loss"], abs=1e-5)
    assert two.held_out.margins == pytest.approx(one.held_out.margins, abs=1e-4)
    assert two.info["devices"] == 2


def test_the_first_process_reports(both):
    steps = [metrics["step"] for stage, *_, metrics in both[2] if stage == "train"]
    assert steps == list(range(1, len(both[1].info["loss"]) + 1))


def test_what_the_processes_failed_of_is_said(tmp_path, llama):
    data = replace(dataset(4, 1), train=())
    with pytest.raises(ValueError, match="no comparison to train on"):
        spread.fit(data, llama, small(), devices=2, work_dir=tmp_path)


def test_a_cancel_ends_all_processes(tmp_path, llama):
    class Stop(Exception):
        pass

    def report(stage, *_):
        if stage == "train":
            raise Stop

    with pytest.raises(Stop):
        spread.fit(dataset(12, 3), llama, small(), devices=2, work_dir=tmp_path, report=report)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert str(tmp_path) not in listed


def test_the_last_words_of_a_process_are_understood():
    text = "[rank0]: Traceback\n[rank0]: torch.OutOfMemoryError: out of memory with a token_budget of 64: CUDA\n"
    assert isinstance(spread._cause(text), torch.OutOfMemoryError)
    assert "token_budget of 64" in str(spread._cause(text))
    assert isinstance(spread._cause(""), RuntimeError)
