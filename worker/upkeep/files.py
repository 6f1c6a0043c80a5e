"""The files of an installation by kind and name, wherever they lie."""

import os
import shutil
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

from worker.store import ASIDE, Folder, artifacts, uploads

if TYPE_CHECKING:
    from worker.bucket import Bucket


def store(kind: str) -> "Folder | Bucket":
    return {"artifacts": artifacts, "uploads": uploads, "cache": lambda: Folder(settings.CACHE_DIR)}[kind]()


def names(kind: str, folder: str = "") -> Iterator[str]:
    """Of all files, with the folders they lie in; where hosts share a store, uploads and what was put aside lie among
    the artifacts, and are no part of them."""
    folders, files = store(kind).listdir(folder)
    yield from (os.path.join(folder, name) for name in sorted(files))
    for name in sorted(folders):
        if folder or name not in ("uploads", ASIDE):
            yield from names(kind, os.path.join(folder, name))


def below(kind: str, name: str) -> list[str]:
    """The files of a folder, or the file itself."""
    return list(names(kind, name)) or [name]


def opened(kind: str, name: str) -> BinaryIO:
    return store(kind).stream(name)


def keep(kind: str, name: str, chunks: Iterable[bytes]) -> None:
    """There whole or not at all."""
    target = store(kind)
    draft = target.draft(name)
    with draft.open("wb") as file:
        file.writelines(chunks)
    target.publish(draft, name)


def room() -> int:
    """Bytes that are free where files are written first."""
    settings.ARTIFACT_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    return shutil.disk_usage(settings.ARTIFACT_DIR).free
