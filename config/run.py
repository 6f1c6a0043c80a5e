"""The launcher: database, web server and one Celery worker on one terminal; what it starts it stops.

python -m config.run [--demo] [--reset]        (make run, make demo, make demo-reset)
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import NoReturn

import django
from django.conf import settings
from django.core.management import call_command

from config.celery import GRACE, LAUNCHER

HOST = "127.0.0.1"
MARK = "made-by-demo"  # a VAR_DIR without it holds work that a reset must not touch
OURS = ("touchstone.sqlite3*", "artifacts", "uploads", "store", "embeddings", "broker/*/*", "beat*", "logs", MARK)
SIGNAL_AT_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Child:
    """A process in a group of its own: the terminal's Ctrl-C does not reach it, we stop it ourselves."""

    def __init__(self, name: str, command: list[str], stop: signal.Signals) -> None:
        self.command, self.stop_signal = command, stop
        self.log = settings.VAR_DIR / "logs" / f"{name}.log"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.log.parent.mkdir(exist_ok=True)
        command = [sys.executable, "-m", *self.command]
        with self.log.open("ab") as out, _uninterrupted():
            self.process = subprocess.Popen(
                command,
                cwd=settings.BASE_DIR,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env=os.environ | {LAUNCHER: str(os.getpid())},
                start_new_session=True,
                preexec_fn=partial(_stop_with_parent, self.stop_signal, os.getpid()),
            )

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.alive:
            self.process.send_signal(self.stop_signal)

    def end(self) -> None:
        """Wait a little, then end whatever is left of the group."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._see_the_rest_gone()

    def _see_the_rest_gone(self) -> None:
        """They die a moment after they are killed, in the middle of a write maybe; a reset must not come before."""
        with contextlib.suppress(ProcessLookupError):
            for _ in range(50):
                os.killpg(self.process.pid, 0)
                time.sleep(0.1)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals wait until the end: a child must not be started without being known."""
    late: list[int] = []
    before = {number: signal.signal(number, lambda number, _: late.append(number)) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    if late:
        raise KeyboardInterrupt


def _stop_with_parent(number: signal.Signals, parent: int) -> None:
    """In a child that begins: the kernel sends it the signal once its launcher is gone, even one that was killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SIGNAL_AT_PARENTS_DEATH, number)
        if os.getppid() != parent:  # it went while we asked
            os.kill(os.getpid(), number)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="create the demo project if it is not there")
    parser.add_argument("--reset", action="store_true", help="start over: remove what an earlier demo made")
    options = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    with contextlib.suppress(KeyboardInterrupt):
        port = _free_port()
        with _alone():
            if options.reset:
                _reset()
            _run(port, options.demo)


def _run(port: int, demo: bool) -> None:
    fresh = not any(settings.VAR_DIR.glob("touchstone.sqlite3"))
    if demo and fresh and _embedded():
        (settings.VAR_DIR / MARK).write_text("make demo-reset may remove what is in this folder.\n")
    django.setup()
    call_command("migrate", verbosity=0)
    web, worker, site = _web(port), _worker(), f"http://{HOST}:{port}"
    try:
        web.start()
        worker.start()
        made = _create_demo() if demo else None
        _wait_for(web, port)
        print(_banner(site, made), flush=True)
        _watch(web, worker)
    finally:
        _stop([web, worker])


def _web(port: int) -> Child:
    options = ["--host", HOST, "--port", str(port), "--log-level", "warning", "--timeout-graceful-shutdown", "2"]
    options += ["--no-proxy-headers"]  # uvicorn believes any local client's; TRUSTED_PROXIES says whose count
    return Child("web", ["uvicorn", "config.asgi:application", *options], signal.SIGTERM)


def _worker() -> Child:
    """SIGQUIT stops it at once, without waiting for a job: the next start takes that up again."""
    # Two at a time: an explanation that somebody waits for need not wait for a long scoring.
    options = ["-B", "-Q", "cpu,gpu", "--pool", "prefork", "-c", "2", "--loglevel", "INFO"]
    return Child("worker", ["celery", "-A", "config", "worker", *options], signal.SIGQUIT)


def _create_demo() -> dict:
    from worker.services.demo import create_demo

    return create_demo()


def _wait_for(web: Child, port: int) -> None:
    """Any answer will do: which names it answers to, and that it wants HTTPS, is not asked here."""
    while web.alive:
        with contextlib.suppress(OSError), contextlib.closing(HTTPConnection(HOST, port, timeout=30)) as link:
            link.request("GET", "/healthz")
            link.getresponse()
            return
        time.sleep(0.1)
    _give_up(f"The web server did not start; {web.log} says why.")


def _watch(web: Child, worker: Child) -> None:
    """Until Ctrl-C: a worker that dies is started again, a web server that dies ends all."""
    while web.alive:
        if not worker.alive:
            print(f"The worker ended (status {worker.process.returncode}); starting it again.", flush=True)
            worker.end()
            worker.start()
        time.sleep(1)
    _give_up(f"The web server ended; {web.log} says why.")


def _stop(children: list[Child]) -> None:
    """Ask all, then wait for each. A second Ctrl-C changes nothing."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.end()
    print("\nStopped. Your data is kept.", flush=True)


def _banner(site: str, made: dict | None) -> str:
    lines = ["", f"  Touchstone is running at {site}/", ""]
    if made is None:
        lines += ["  The first account: .venv/bin/python manage.py createsuperuser"]
    elif made["accounts"]:
        lines += ["  Sign in as (these passwords are printed this once):"]
        lines += [f"      {name:<12}{password}" for name, password in made["accounts"].items()]
    else:
        lines += [
            "  The demo and its accounts are there from an earlier start (annotator, researcher, admin).",
            "  Password lost? .venv/bin/python manage.py changepassword admin, or make demo-reset to start over.",
        ]
    if made:
        demo = f"{site}/p/{made['project']}"
        lines += ["", "  Where to look first:"]
        if made["job"]:
            lines += [f"      {demo}/jobs/{made['job']}/   the first reward model, training now (researcher, admin)"]
        lines += [
            f"      {demo}/versions/1/   in about a minute, what it learnt: heat-map, length, drift",
            f"      {demo}/judge/   judge two answers (annotator, admin)",
        ]
    logs = f"  Logs: {settings.VAR_DIR}/logs."
    return "\n".join([*lines, "", f"{logs} Ctrl-C stops everything; another start keeps the data.", ""])


def _free_port() -> int:
    """PORT, if nobody listens there."""
    value = os.environ.get("PORT") or "8000"
    if not value.isdecimal() or not 0 < int(value) < 65536:
        _give_up(f"PORT={value} is not a port: give a number from 1 to 65535, as in PORT=8001 make demo.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(value)))
        except OSError as error:
            _give_up(f"PORT={value} cannot be used ({error.strerror}). Choose another: PORT=8001 make demo.")
    return int(value)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One launcher per VAR_DIR: the lock goes with this process, however it ends."""
    with (settings.VAR_DIR / "running").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _give_up(f"Touchstone is running on {settings.VAR_DIR} already. Stop it first, or set VAR_DIR.")
        yield


def _reset() -> None:
    """Remove what a demo made under VAR_DIR, and nothing else that may lie there."""
    folder: Path = settings.VAR_DIR
    if not _embedded():
        _give_up("DATABASE_URL names a database that the demo did not make; empty it yourself.")
    if not (folder / MARK).exists():
        if (folder / "touchstone.sqlite3").exists():
            _give_up(
                f"{folder} was not made by make demo, so nothing in it was removed. Set VAR_DIR to another folder."
            )
        return
    for pattern in OURS:
        for path in folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _embedded() -> bool:
    """Whether the database is the one under VAR_DIR."""
    return settings.DATABASES["default"]["NAME"] == str(settings.VAR_DIR / "touchstone.sqlite3")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _give_up(message: str) -> NoReturn:
    sys.exit(message)


if __name__ == "__main__":
    main()
