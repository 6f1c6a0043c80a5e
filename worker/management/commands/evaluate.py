"""manage.py evaluate VERSION FILE --format hh-rlhf|jsonl"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.formats import FORMATS
from annotate.management.json_command import JsonCommand
from worker.services.version import resolve


class Command(JsonCommand):
    help = "Measure a version on a file of judged pairs that was never imported."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="project:number or project:latest")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", choices=sorted(FORMATS), required=True)

    def handle_json(self, *, version: str, file: Path, format: str, **_: object) -> dict:
        from worker.jobs.evaluate import evaluate

        found = resolve(version)
        with file.open("rb") as source:
            return {"version": str(found)} | evaluate(found, source, format, self.report)
