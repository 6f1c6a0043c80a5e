"""manage.py import_items SLUG FILE --format qa-feedback|hh-rlhf|jsonl"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.formats import FORMATS
from annotate.management.json_command import JsonCommand, project_named
from annotate.services.item import import_items


class Command(JsonCommand):
    help = "Import items, with the responses and judgements that come with them. Importing again adds nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", required=True, choices=FORMATS)

    def handle_json(self, *, project: str, file: Path, format: str, **options: object) -> dict:
        with file.open("rb") as stream:
            return import_items(project=project_named(project), file=stream, format=format, report=self.report)
