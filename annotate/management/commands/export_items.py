"""manage.py export_items SLUG FILE"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.formats import jsonl
from annotate.management.json_command import JsonCommand, project_named
from annotate.services.exported import records


class Command(JsonCommand):
    help = "Write a project's items, responses and current judgements to a file of our own format (JSON lines)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle_json(self, *, project: str, file: Path, **options: object) -> dict:
        found = project_named(project)
        counts, total = {"items": 0, "responses": 0, "judgements": 0, "spans": 0}, found.items.count()
        with file.open("w", encoding="utf-8", newline="\n") as target:
            for record in records(found):
                target.write(jsonl.line(record) + "\n")
                counts["items"] += 1
                counts["responses"] += len(record.responses)
                counts["judgements"] += len(record.judgements)
                counts["spans"] += sum(len(verdict.spans) for verdict in record.judgements)
                self.report("writing items", counts["items"], total)
        return counts
