"""Files that outlive a process and that other hosts need: models, archives, scored lines, uploads, checkpoints.

They lie in a folder, or in a bucket that speaks S3 (the setting ARTIFACT_STORE). Their names are ours, never a form's.
A file is written to a draft and published: it is there whole or not at all, and what a killed process leaves is seen
by nobody and swept. Both stores are Django storages (exists, delete, listdir, size, get_modified_time) and more:

draft(name)             where to write what will be published under the name; on this machine
publish(draft, name)    the draft is gone afterwards, the file is there
fetch(name, sha256)     its path on this machine, checked; ValueError where it is damaged
local(name)             the same for a file that is read once, as a context
stream(name)            open for reading from the start on, without a copy
working(folder, name)   a folder to work in, and what keeps the file of that name for the next to go on from
forget(folder)          the folder is gone
put_aside(name, place)  move a file, or a folder with all in it, to where nothing looks; whether it was there
sweep()                 remove what killed processes left unfinished
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

if TYPE_CHECKING:
    from worker.bucket import Bucket


ASIDE = "aside"


class Folder(FileSystemStorage):
    """On this machine, or mounted by all: nothing is ever copied."""

    def draft(self, name: str) -> Path:
        path = Path(self.path(f"{name}.part"))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def publish(self, draft: Path, name: str, sha256: str = "") -> None:
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, self.path(name))

    def fetch(self, name: str, sha256: str) -> Path:
        return check(Path(self.path(name)), sha256)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        yield Path(self.path(name))

    def stream(self, name: str) -> BinaryIO:
        return open(self.path(name), "rb")

    @contextmanager
    def working(self, folder: str, name: str) -> Iterator[tuple[Path, Callable[[], None]]]:
        yield Path(self.path(folder)), lambda: None

    def forget(self, folder: str) -> None:
        shutil.rmtree(self.path(folder), ignore_errors=True)

    def put_aside(self, name: str, place: str) -> bool:
        """Into the folder beside the artifacts, or, where hosts share one, in it."""
        root = settings.ARTIFACT_DIR if settings.ARTIFACT_STORE else settings.ARTIFACT_DIR.parent
        there = self.exists(name)
        if there:
            (root / ASIDE / place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.move(self.path(name), root / ASIDE / place)
        return there

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files; none where there is no such folder."""
        return super().listdir(path) if os.path.isdir(self.path(path)) else ([], [])

    def sweep(self) -> None:
        """Drafts lie beside the files and are swept with them."""


def artifacts() -> "Folder | Bucket":
    """What workers make."""
    return _bucket(settings.ARTIFACT_STORE) if _shared() else Folder(settings.ARTIFACT_DIR)


def uploads() -> "Folder | Bucket":
    """What people send: parsed once, never served."""
    return _bucket(f"{settings.ARTIFACT_STORE.rstrip('/')}/uploads") if _shared() else Folder(settings.UPLOAD_DIR)


def remove_older(store: "Folder | Bucket", folder: str, seconds: float, wanted: Iterable[str] = ()) -> None:
    """Delete the files of a folder of the store that are that old and not wanted."""
    limit = timezone.now() - timedelta(seconds=seconds)
    for name in set(store.listdir(folder)[1]) - set(wanted):
        with suppress(FileNotFoundError):  # others sweep as well
            if store.get_modified_time(os.path.join(folder, name)) < limit:
                store.delete(os.path.join(folder, name))


def check(path: Path, sha256: str) -> Path:
    """The path, if it holds that content. FileNotFoundError, ValueError."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"sha256 {found[:12]}… instead of {sha256[:12]}…")
    return path


def _shared() -> bool:
    return settings.ARTIFACT_STORE.startswith("s3://")


@lru_cache(maxsize=4)
def _bucket(url: str) -> "Bucket":
    from worker.bucket import Bucket  # boto3 is large, and a folder needs none of it

    return Bucket(url, settings.STORE_DIR)
