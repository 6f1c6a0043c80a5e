"""manage.py import_suite SLUG FILE --name NAME --format reward-bench"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.formats import AUTO, FORMATS
from annotate.management.json_command import JsonCommand, project_named
from worker.services.suite import import_suite


class Command(JsonCommand):
    help = "Freeze the judged pairs of a file into a suite that every version can be measured on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--name", required=True)
        parser.add_argument("--format", choices=[AUTO, *sorted(FORMATS)], default=AUTO)

    def handle_json(self, *, project: str, file: Path, name: str, format: str, **_: object) -> dict:
        with file.open("rb") as stream:
            suite = import_suite(project=project_named(project), name=name, file=stream, format=format)
        counts = {"pairs": suite.pairs.count(), "questions": suite.questions.count()}
        return {"suite": suite.pk, "sha256": suite.sha256} | counts
