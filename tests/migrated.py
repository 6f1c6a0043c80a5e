"""Databases whose tables stand already: made once in a process of tests, copied from then on."""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def migrate(url: str, folder: Path) -> None:
    own = os.environ | {"DATABASE_URL": url, "VAR_DIR": str(folder), "LOG_LEVEL": "ERROR"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0", "--skip-checks"], cwd=ROOT, env=own, check=True)


@functools.cache
def _made_on_sqlite() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="touchstone-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(f"sqlite:///{folder / 'touchstone.sqlite3'}", folder)
    return folder / "touchstone.sqlite3"


def on_sqlite(path: Path) -> str:
    """The address of a new file at this path."""
    shutil.copyfile(_made_on_sqlite(), path)
    return f"sqlite:///{path}"
