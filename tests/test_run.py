"""The launcher, started for real on a free port and a folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.migrated import on_sqlite
from tests.site import ROOT, free_port

STARTS = 60  # seconds that a start may take before it counts as hung


class Launcher:
    """config.run with an environment that holds nothing but what is needed."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, **environment: str) -> None:
        self.port = port or free_port()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "VAR_DIR": str(folder)}
        self.environment |= {"PORT": str(self.port)} | environment
        command = [sys.executable, "-m", "config.run", *options]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said = ""

    def until(self, text: str) -> str:
        """Read until a line holds the text; all that was said."""
        for line in self.process.stdout:
            self.said += line
            if text in line:
                return self.said
        raise AssertionError(f"it ended with {self.process.wait()}: {self.said}")

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        self.said += self.process.communicate(timeout=STARTS)[0]
        return self.process.returncode

    def wait(self) -> str:
        self.said += self.process.communicate(timeout=STARTS)[0]
        return self.said


def processes(folder):
    """Ids of the live processes whose environment names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            words = path.read_bytes().split(b"\0")
            if f"VAR_DIR={folder}".encode() in words and path.with_name("cmdline").read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it ended meanwhile, or belongs to somebody else
            continue
    return found


def status(port, path="/login/"):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def folder(tmp_path):
    """A VAR_DIR; whatever a failed test left running on it is ended."""
    yield tmp_path
    for pid in processes(tmp_path):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def launch(folder):
    started = []

    def start(*options, **environment):
        started.append(Launcher(folder, *options, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end()


def test_it_serves_prints_the_accounts_once_keeps_a_worker_and_stops_all_it_started(launch, folder):
    first = launch("--demo")
    said = first.until("Ctrl-C stops")
    assert f"http://127.0.0.1:{first.port}/" in said
    assert all(f"      {name} " in said for name in ("annotator", "researcher", "admin"))
    assert status(first.port) == 200
    assert len(processes(folder)) >= 3  # itself, the web server, the worker
    assert first.end(signal.SIGINT) == 0
    assert processes(folder) == []

    again = launch("--demo")
    assert "from an earlier start" in again.until("Ctrl-C stops")
    kill_the_worker(folder)
    again.until("starting it again")
    assert again.end(signal.SIGTERM) == 0
    assert processes(folder) == []

    (folder / "notes.txt").write_text("mine")
    anew = launch("--demo", "--reset")
    assert "printed this once" in anew.until("Ctrl-C stops")
    assert anew.end() == 0
    assert (folder / "notes.txt").read_text() == "mine"


def kill_the_worker(folder):
    worker = next(pid for pid in processes(folder) if b"celery" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.killpg(os.getpgid(worker), signal.SIGKILL)


def test_it_is_one_per_folder_and_takes_its_children_along_when_it_is_killed(launch, folder):
    on_sqlite(folder / "touchstone.sqlite3")
    launcher = launch()
    assert "createsuperuser" in launcher.until("Ctrl-C stops")
    second = launch()
    assert "running on" in second.wait()
    assert second.process.returncode == 1
    assert len(processes(folder)) >= 3
    launcher.end(signal.SIGKILL)
    for _ in range(600):
        if not processes(folder):
            break
        time.sleep(0.1)
    assert processes(folder) == []


def test_a_port_in_use_is_named(launch, folder):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        launcher = launch(port=port)
        assert f"PORT={port} cannot be used" in launcher.wait()
    assert launcher.process.returncode == 1
    assert processes(folder) == []


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_a_port_that_is_none_is_named(launch, port):
    assert f"PORT={port} is not a port" in launch(PORT=port).wait()


def test_a_folder_with_other_work_is_not_reset(launch, folder):
    (folder / "touchstone.sqlite3").write_bytes(b"years of work")
    launcher = launch("--demo", "--reset")
    assert "was not made by make demo" in launcher.wait()
    assert launcher.process.returncode == 1
    assert (folder / "touchstone.sqlite3").read_bytes() == b"years of work"


def test_another_database_is_not_reset(launch, folder):
    launcher = launch("--demo", "--reset", DATABASE_URL=f"sqlite:///{folder}/other.sqlite3")
    assert "DATABASE_URL" in launcher.wait()
    assert not (folder / "other.sqlite3").exists()
