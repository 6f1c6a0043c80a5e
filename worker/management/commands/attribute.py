"""manage.py attribute VERSION FILE --method exact|ig"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.models.version import PREFERENCE
from worker.services.version import resolve


class Command(JsonCommand):
    help = "Say token by token why the answers of a file (JSON lines, as for score) get their scores."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="project:number or project:latest")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--method", choices=["exact", "ig"], default="exact")
        parser.add_argument("--head", default=PREFERENCE, help="A head of the version, preference without this.")

    def handle_json(self, *, version: str, file: Path, method: str, head: str, **_: object) -> dict:
        from worker.jobs.attribute_file import attribute_file

        found = resolve(version)
        with file.open("rb") as source:
            rows = attribute_file(found, source, head, method, self.report)
        return {"version": str(found), "method": method, "head": head, "rows": rows}
