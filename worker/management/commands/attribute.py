"""manage.py attribute VERSION FILE --method exact ig shapley … --head preference …"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.explain import METHODS
from worker.models.version import PREFERENCE
from worker.services.version import resolve


class Command(JsonCommand):
    help = "Say why the answers of a file (JSON lines, as for score) get their scores: by token, stretch or layer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="project:number or project:latest")
        parser.add_argument("file", metavar="FILE", type=Path)
        named = "; ".join(f"{key}: {method.name}, {method.cost}" for key, method in METHODS.items())
        parser.add_argument("--method", nargs="+", choices=METHODS, default=["exact"], help=f"One or more. {named}.")
        parser.add_argument(
            "--head", nargs="+", default=[PREFERENCE], help="Heads of the version, preference without this."
        )

    def handle_json(self, *, version: str, file: Path, method: list[str], head: list[str], **_: object) -> dict:
        from worker.jobs.attribute_file import attribute_file

        found = resolve(version)
        with file.open("rb") as source:
            told = attribute_file(found, source, head, method, self.report)
        return {"version": str(found), "methods": method, "heads": head} | told
