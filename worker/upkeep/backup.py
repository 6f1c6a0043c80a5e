"""The database as it is at one moment, and the files that it names, in one archive; the site may go on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from worker.models import Job, Version
from worker.models.job import JobKind
from worker.services.upload import READERS
from worker.upkeep import tables as stream
from worker.upkeep.archive import CHUNK, SECRET, Report, Writer, lines
from worker.upkeep.files import names, opened
from worker.upkeep.frozen import frozen
from worker.upkeep.target import migrations_of


def backup(*, path: Path, report: Report, with_secret: bool = False) -> dict:
    """Write the archive beside its name and rename it at the end: it is there whole or not at all.

    {"rows", "files", "bytes", "missing": files that a row names and that are not there, "secret_key"}
    """
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("wb") as target:
            os.fchmod(target.fileno(), 0o600)  # it holds hashes of passwords, and sessions
            told = _write(target, report, with_secret)
            target.flush()
            os.fsync(target.fileno())
        os.replace(draft, path)
    except BaseException:  # a full disk has no room for half of it either
        draft.unlink(missing_ok=True)
        raise
    _sync(path.parent)
    return told | {"file": str(path), "bytes": path.stat().st_size}


def _write(target: BinaryIO, report: Report, with_secret: bool) -> dict:
    writer, tables = Writer(target), stream.all_tables()
    held = {name: opened("uploads", name) for name in names("uploads")}  # a job that ends deletes its own
    try:
        with frozen():
            about = _tables(writer, tables, report)
            missing = _files(writer, held, report)
    finally:
        for file in held.values():
            file.close()
    if with_secret:
        writer.add(SECRET, [settings.SECRET_KEY.encode()])
    rows = about.pop("rows")
    writer.close(about | {"made_at": timezone.now().isoformat()})
    files = sum(not name.startswith("tables/") and name != SECRET for name in writer.parts)
    return {"rows": rows, "files": files, "missing": missing, "secret_key": with_secret}


def _tables(writer: Writer, tables: list[stream.Table], report: Report) -> dict:
    rows, last = 0, {}
    applied = migrations_of(DEFAULT_DB_ALIAS)
    for n, table in enumerate(tables):
        report(f"writing {table.name}", n, len(tables))
        counted = Counted(stream.read(DEFAULT_DB_ALIAS, table))
        writer.add(f"tables/{table.name}.jsonl", lines(table, counted))
        last[table.name] = stream.last_number(DEFAULT_DB_ALIAS, table)
        rows += counted.n
    described = [table.as_dict() for table in tables]
    return {"migrations": applied, "tables": described, "last_numbers": last, "rows": rows}


class Counted:
    """The same rows, and how many have passed."""

    def __init__(self, rows: Iterator) -> None:
        self.rows, self.n = rows, 0

    def __iter__(self) -> Iterator:
        for row in self.rows:
            self.n += 1
            yield row


def _files(writer: Writer, held: dict[str, BinaryIO], report: Report) -> list[str]:
    wanted, missing = _named(), []
    for n, (kind, name) in enumerate(wanted):
        report("writing files", n, len(wanted))
        try:
            file = held[name] if kind == "uploads" else opened(kind, name)
        except (KeyError, OSError):
            missing.append(f"{kind}/{name}")
            continue
        with file:
            writer.add(f"{kind}/{name}", iter(lambda file=file: file.read(CHUNK), b""))
    report("writing files", len(wanted), len(wanted))
    return missing


def _named() -> list[tuple[str, str]]:
    """Files that rows need: of versions, their exports, scored lines, and uploads that a job will read."""
    versions = sorted(set(Version.objects.values_list("file", flat=True)))
    scored = Job.objects.filter(kind=JobKind.FILE, result__has_key="result").values_list("result__result", flat=True)
    waiting = Job.objects.unfinished().filter(kind__in=READERS).values_list("params__file", flat=True)
    there = set(names("artifacts"))
    kept = [name for name in there if name.startswith("exports/") and name.endswith(".zip")]
    kept += [f"scored/{name}" for name in scored if f"scored/{name}" in there]
    return [("artifacts", name) for name in [*versions, *sorted(kept)]] + [("uploads", name) for name in waiting]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
