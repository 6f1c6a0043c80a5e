"""manage.py export_items SLUG FILE [--format reward] [--container parquet] [--sources human,machine] [--after ITEM]"""

from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import CommandParser

from annotate.formats.training import EXPORTS
from annotate.formats.written import CONTAINERS
from annotate.management.json_command import JsonCommand, project_named
from annotate.models import Project
from annotate.models.judgement import Source
from annotate.services.exported import Export, export_rows


class Command(JsonCommand):
    help = "Write a project's judgements to a file: our own format, which comes back the same, or rows for training."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--format", default="touchstone", choices=EXPORTS)
        parser.add_argument("--container", default="jsonl", choices=CONTAINERS)
        parser.add_argument("--sources", nargs="+", default=(), choices=Source.values, help="of which judgements")
        parser.add_argument("--each", action="store_true", help="A row for each judgement, not for each pair.")
        parser.add_argument("--after", type=int, default=0, metavar="ITEM", help="Go on after it, adding JSON lines.")

    def handle_json(self, *, project: str, file: Path, each: bool, **options: object) -> dict:
        chosen = {name: options[name] for name in ("format", "container", "after")}
        export = Export(sources=tuple(options["sources"]), together=not each, **chosen)
        found, counts = project_named(project), {"rows": 0, "last": export.after}
        adds = export.after and export.container == "jsonl"
        with file.open("ab" if adds else "wb") as target:
            for chunk in CONTAINERS[export.container](self._counted(found, export, counts), export.format):
                target.write(chunk)
        return counts

    def _counted(self, project: Project, export: Export, counts: dict) -> Iterator[dict]:
        """The rows as they pass by."""
        total = project.items.filter(pk__gt=export.after).count()
        seen = 0
        for row in export_rows(project=project, export=export):
            number = row["cursor" if export.whole else "item"]
            seen += number != counts["last"]
            counts |= {"rows": counts["rows"] + 1, "last": number}
            self.report("writing items", min(seen, total), total)
            yield row
