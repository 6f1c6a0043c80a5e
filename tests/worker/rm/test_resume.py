"""A run that was killed goes on as if nothing had happened; what is not its own is never taken for it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.worker.rm import bodies
from worker.rm import resume

ROOT = Path(__file__).parents[3]


def killed(folder: Path, backbone: str, name: str, die_at: int) -> int:
    """How a process ended that trained there."""
    command = [sys.executable, "-m", "tests.worker.rm.bodies", str(folder), backbone, name, str(die_at)]
    return subprocess.run(command, cwd=ROOT).returncode


@pytest.fixture
def one_thread():
    """As the process has that is killed."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["full", "lora"])
def test_killed_at_a_step_the_curve_goes_on_the_same(tmp_path, llama, name, one_thread):
    whole = bodies.train(tmp_path / "whole", llama, name)
    assert killed(tmp_path / "killed", llama, name, die_at=5) == -signal.SIGKILL
    _, said = resume.read(tmp_path / "killed", _fingerprint(tmp_path / "killed"))
    assert said["step"] == 4
    again = bodies.train(tmp_path / "killed", llama, name)
    assert again == whole
    assert len(again["loss"]) == 10


def _fingerprint(folder: Path) -> str:
    from safetensors import safe_open

    with safe_open(folder / resume.NAME, "pt") as file:
        return json.loads(file.metadata()[resume.FORMAT])["fingerprint"]


def test_another_run_s_state_is_not_taken(tmp_path):
    resume.write(tmp_path, {"a": torch.ones(2)}, {"fingerprint": "mine", "step": 3})
    tensors, said = resume.read(tmp_path, "mine")
    assert (tensors["a"].tolist(), said["step"]) == ([1, 1], 3)
    assert resume.read(tmp_path, "another") is None


@pytest.mark.parametrize("content", [b"", b"not a tensor in it"])
def test_a_damaged_state_is_no_state(tmp_path, content):
    (tmp_path / resume.NAME).write_bytes(content)
    assert resume.read(tmp_path, "mine") is None
    assert resume.read(tmp_path / "nowhere", "mine") is None


def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    resume.write(tmp_path, {"a": torch.ones(2)}, {"fingerprint": "mine", "step": 3})

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.rm.resume.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        resume.write(tmp_path, {"a": torch.zeros(2)}, {"fingerprint": "mine", "step": 4})
    assert resume.read(tmp_path, "mine")[1]["step"] == 3
    assert [path.name for path in tmp_path.iterdir()] == [resume.NAME]


def test_adam_goes_on_where_it_was():
    def model():
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        return layer, torch.optim.AdamW(layer.parameters(), lr=0.1, fused=True)

    def step(layer, optimizer):
        optimizer.zero_grad()
        layer(torch.ones(1, 3)).square().sum().backward()
        optimizer.step()

    (one, first), (two, second) = model(), model()
    step(one, first)
    two.load_state_dict(one.state_dict())
    resume.set_moments(second, {name: value.clone() for name, value in resume.moments(first).items()})
    step(one, first), step(two, second)
    torch.testing.assert_close(one.weight, two.weight, rtol=0, atol=0)
