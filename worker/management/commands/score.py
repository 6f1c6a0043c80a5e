"""manage.py score VERSION FILE [--out FILE]"""

import json
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.services.version import resolve


class Command(JsonCommand):
    help = (
        "Score answers: JSON lines in with prompt (or turns) and response, the same lines out with score and one "
        "field per head. With --json, one object that holds them as rows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="project:number or project:latest")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--out", metavar="FILE", type=Path, help="Write the lines there; say how many there are.")

    def handle_json(self, *, version: str, file: Path, out: Path | None, **_: object) -> dict | None:
        from worker.jobs.score_file import score_file

        found = resolve(version)
        with file.open("rb") as source:
            rows = score_file(found, source, self.report)
            if out:
                return {"version": str(found), "rows": _write(out, rows)}
            if self.as_json:
                return {"version": str(found), "rows": list(rows)}
            for row in rows:
                self.stdout.write(_line(row))
        return None


def _line(row: dict) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def _write(out: Path, rows: Iterable[dict]) -> int:
    """All rows or no file: a bad line must not leave half a file under the name that was asked for."""
    unfinished = out.with_name(out.name + ".unfinished")
    count = 0
    try:
        with unfinished.open("w", encoding="utf-8") as target:
            for row in rows:
                target.write(_line(row) + "\n")
                count += 1
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return count
