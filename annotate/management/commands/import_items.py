"""manage.py import_items SLUG FILE [--format trl] [--dry-run]"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.formats import AUTO, FORMATS
from annotate.management.json_command import JsonCommand, project_named
from annotate.services.item import import_items
from annotate.services.preview import preview_items


class Command(JsonCommand):
    help = "Import items, with the responses and judgements that come with them. Importing again adds nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", default=AUTO, choices=(AUTO, *FORMATS), help="default: what it looks like")
        parser.add_argument("--dry-run", action="store_true", help="Check the file and tell what it would bring.")

    def handle_json(self, *, project: str, file: Path, format: str, dry_run: bool, **options: object) -> dict:
        act = preview_items if dry_run else import_items
        with file.open("rb") as stream:
            return act(project=project_named(project), file=stream, format=format, report=self.report)
