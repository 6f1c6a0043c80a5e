"""What a worker runs on: accelerators by a stand-in for their driver, memory by the machine or its group, the code."""

import psutil
import pytest

from worker import machine


def driver(monkeypatch, tmp_path, body):
    """A stand-in for nvidia-smi."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_an_accelerator_is_named_with_its_memory(monkeypatch, tmp_path):
    driver(monkeypatch, tmp_path, 'echo "NVIDIA H200, 143771 MiB"')
    assert machine.device_in_words() == "NVIDIA H200, 143771 MiB"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.device_in_words().startswith("cpu, ")


@pytest.mark.parametrize(("threads", "said"), [("1", "cpu, 1 thread"), ("6", "cpu, 6 threads")])
def test_a_driver_that_fails_leaves_the_processor(monkeypatch, tmp_path, threads, said):
    driver(monkeypatch, tmp_path, "exit 9")
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert machine.device_in_words() == said


def test_memory_is_the_machines_and_the_accelerators_together(monkeypatch, tmp_path):
    driver(monkeypatch, tmp_path, 'echo "1000, 80000"; echo "500, 80000"')
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    found = machine.memory()
    assert found["memory_total"] == psutil.virtual_memory().total
    assert 0 < found["memory_used"] < found["memory_total"]
    assert (found["gpu_used"], found["gpu_total"]) == (1500 * 2**20, 160000 * 2**20)


@pytest.mark.parametrize("body", ["exit 9", "exit 0", 'echo "[N/A], [N/A]"'])
def test_without_an_accelerator_that_tells_its_memory_it_is_none(monkeypatch, tmp_path, body):
    driver(monkeypatch, tmp_path, body)
    found = machine.memory()
    assert (found["gpu_used"], found["gpu_total"]) == (None, None)


@pytest.mark.parametrize(("limit", "held"), [("1000000", True), ("max", False), (str(2**60), False)])
def test_a_container_has_what_its_group_is_held_to(monkeypatch, tmp_path, limit, held):
    for name, text in {"max": limit, "current": "700000", "stat": "anon 1\ninactive_file 200000\nfile 9"}.items():
        (tmp_path / f"memory.{name}").write_text(f"{text}\n")
    monkeypatch.setattr(machine, "_own_group", lambda: tmp_path)
    found = machine.memory()
    assert ((found["memory_used"], found["memory_total"]) == (500000, 1000000)) == held
    assert held or found["memory_total"] == psutil.virtual_memory().total


def test_the_same_code_has_the_same_version_and_a_change_another(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    (tmp_path / "worker").mkdir()
    told = []
    for text in ("a = 1", "a = 1", "a = 2"):
        (tmp_path / "worker" / "one.py").write_text(text)
        told.append(machine.code_version.__wrapped__())
    assert told[0] == told[1] != told[2]
