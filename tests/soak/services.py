"""A Redis and a PostgreSQL of one's own, to be broken: each on a free port, with its data in a folder that goes."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.site import free_port


def missing() -> str:
    """Why there can be none here; "" where there can."""
    absent = [name for name, path in {"redis-server": redis_server(), "initdb": binary("initdb")}.items() if not path]
    return f"not installed: {', '.join(absent)}" if absent else ""


def redis_server() -> str | None:
    return shutil.which("redis-server")


def binary(name: str) -> str | None:
    """A program of the newest PostgreSQL here; Debian keeps them beside the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(found[-1]) if found else shutil.which(name)


class Redis:
    """Keeps nothing: whatever was in it is gone when it is started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> "Redis":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        options = ["--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(
            [redis_server(), *options], cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL, start_new_session=True
        )
        wait_for_port(self.port)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Postgres:
    """A cluster whose server may be ended as by a crash."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self.port, self.environment = free_port(), os.environ | (environment or {})
        self.server = f"postgres://root@127.0.0.1:{self.port}"

    def __enter__(self) -> "Postgres":
        self.folder = Path(tempfile.mkdtemp(prefix="touchstone-postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")  # it does not run as root
        self.call("initdb", "-D", "data", "-U", "root", "--auth", "trust", "--no-sync")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.call("pg_ctl", "-D", "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync=off"
        self.call("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def restart(self, mode: str) -> None:
        """ "fast" ends every connection and writes all down; "immediate" is a crash, and it recovers from its log."""
        self.call("pg_ctl", "-D", "data", "-m", mode, "stop")
        self.start()

    def call(self, name: str, *arguments: str) -> None:
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run([binary(name), *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **user)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int = 64) -> Iterator[Path | None]:
    """The folder as a disk that can be filled; None where nothing may be mounted."""
    folder.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "touchstone-soak", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def wait_for_port(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at {port}")
