"""A real site for tests and benchmarks: uvicorn and, if wanted, a Celery worker, on a folder of its own."""

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.migrated import on_sqlite

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """Below those that the kernel hands out: nobody is given it in the seconds until it is used."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Site:
    """with Site(folder) as site: site.url answers; site.worker() adds a Celery worker; the end stops all of it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {
            "VAR_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'touchstone.sqlite3'}",
            "LOG_LEVEL": "WARNING",
        }
        self.environment = os.environ | own | environment
        self.processes: list[subprocess.Popen] = []
        self.numbers = itertools.count()

    def __enter__(self) -> "Site":
        on_sqlite(self.folder / "touchstone.sqlite3")
        uvicorn = [
            "-m",
            "uvicorn",
            "config.asgi:application",
            "--port",
            str(self.port),
            "--log-level",
            "warning",
        ]
        self.web = self.start(*uvicorn)
        self.wait_until(self.answers)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            self.end(process)

    def end(self, process: subprocess.Popen) -> None:
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start(self, *arguments: str) -> subprocess.Popen:
        log = (self.folder / f"process-{next(self.numbers)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen:
        """A Celery worker with beat, as the launcher starts it."""
        options = ["-B", "-Q", "cpu,gpu", "--pool", "prefork", "-c", "1", "--loglevel", "WARNING"]
        return self.start("-m", "celery", "-A", "config", "worker", *options)

    def manage(self, *arguments: str) -> str:
        """Standard output of a management command; its failure shows both streams."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def run(self, code: str) -> str:
        """What Python code prints inside this site's Django."""
        return self.manage("shell", "-v0", "-c", code)

    def get(self, path: str, headers: dict[str, str] | None = None) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers or {}), timeout=30) as page:
            return page.read()

    def answers(self) -> bool:
        try:
            return bool(self.get("/login/"))
        except (urllib.error.URLError, ConnectionError):
            return False

    def wait_until(self, true: object, seconds: float = 60) -> None:
        """Poll until the callable says yes; the bound is for a hung process, not a promise of speed."""
        for _ in range(int(seconds * 10)):
            if true():
                return
            time.sleep(0.1)
        raise TimeoutError(f"not within {seconds} s: {self.logs()[-4000:]}")

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("process-*.log")))
