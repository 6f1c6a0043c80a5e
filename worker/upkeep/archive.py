"""The file that a backup is: a zip of tables and files, with a manifest that names each part and its sha256.

    manifest.json            version, migrations, tables with their columns and last numbers, parts
    tables/NAME.jsonl        a row a line, a list of its values
    artifacts/… uploads/…    files as they lie in the store
    secret_key               only where it was asked for

What is read is checked first: every part by its hash and size, and no part but these, so that a name from outside
never becomes a path.
"""

import base64
import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from worker.upkeep.tables import Row, Table

VERSION = 1
CHUNK = 2**20
MANIFEST, SECRET = "manifest.json", "secret_key"
WORD = r"(?!\.)[A-Za-z0-9._-]+"  # neither empty, nor hidden, nor a way out
NAME = re.compile(rf"secret_key|tables/{WORD}\.jsonl|(?:artifacts|uploads)(?:/{WORD})+")
Report = Callable[[str, int, int], object]


class Writer:
    """Parts one after the other, each with its size and hash as it is written."""

    def __init__(self, target: BinaryIO) -> None:
        self.zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.parts: dict[str, dict] = {}

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name} is no name of a part")
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, datetime.now().timetuple()[:6])
        # Weights do not get smaller.
        info.compress_type = zipfile.ZIP_DEFLATED if name.endswith(".jsonl") else zipfile.ZIP_STORED
        with self.zip.open(info, "w", force_zip64=True) as part:
            for chunk in chunks:
                part.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self.parts[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def close(self, manifest: dict) -> None:
        """The manifest is last: an archive that was cut off has none."""
        self.zip.writestr(MANIFEST, json.dumps(manifest | {"version": VERSION, "parts": self.parts}, indent=1))
        self.zip.close()


class Reader:
    """An archive whose manifest can be read; `check` before anything is taken from it."""

    def __init__(self, path: Path) -> None:
        try:
            self.zip = zipfile.ZipFile(path)
            self.manifest = json.loads(self.zip.read(MANIFEST))
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise ValueError(f"{path} is no whole backup: {error}. Nothing was restored.") from None
        if self.manifest.get("version") != VERSION:
            raise ValueError(f"{path} was written by another Touchstone, which alone can read it.")
        self.parts: dict[str, dict] = self.manifest["parts"]

    def check(self, report: Report) -> None:
        """ValueError names the first part that is not what was written."""
        found = {info.filename for info in self.zip.infolist()} - {MANIFEST}
        for name in sorted(found ^ self.parts.keys()):
            raise ValueError(f"The part {name} is {'missing' if name in self.parts else 'none of ours'}.")
        for n, (name, told) in enumerate(self.parts.items()):
            report(f"checking {name}", n, len(self.parts))
            if not NAME.fullmatch(name):
                raise ValueError(f"The part {name} is none of ours.")
            if self._hash(name, told["bytes"]) != told["sha256"]:
                raise ValueError(f"The part {name} is damaged. Nothing was restored.")

    def _hash(self, name: str, size: int) -> str:
        """Of no more bytes than there should be."""
        digest, left = hashlib.sha256(), size
        try:
            for chunk in self.chunks(name):
                digest.update(chunk)
                if (left := left - len(chunk)) < 0:
                    return ""
        except (zipfile.BadZipFile, OSError, EOFError, ValueError):
            return ""
        return digest.hexdigest() if not left else ""

    def chunks(self, name: str) -> Iterator[bytes]:
        with self.zip.open(name) as part:
            while chunk := part.read(CHUNK):
                yield chunk

    def tables(self) -> list[Table]:
        return [Table.read(one) for one in self.manifest["tables"]]

    def rows(self, table: Table) -> Iterator[Row]:
        with self.zip.open(f"tables/{table.name}.jsonl") as part:
            for line in part:
                yield from_line(table, line)

    def files(self) -> list[str]:
        return [name for name in self.parts if name.startswith(("artifacts/", "uploads/"))]


def lines(table: Table, rows: Iterable[Row]) -> Iterator[bytes]:
    """Rows as they stand in the archive."""
    write = {"time": datetime.isoformat, "bytes": lambda value: base64.b64encode(value).decode()}
    kinds = [write.get(kind) for _, kind in table.columns]
    for row in rows:
        plain = [k(v) if k and v is not None else v for k, v in zip(kinds, row, strict=True)]
        yield json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def from_line(table: Table, line: bytes) -> Row:
    read = {"time": datetime.fromisoformat, "bytes": base64.b64decode}
    kinds = [read.get(kind) for _, kind in table.columns]
    return tuple(k(v) if k and v is not None else v for k, v in zip(kinds, json.loads(line), strict=True))
