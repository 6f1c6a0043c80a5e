"""manage.py import_pool SLUG FILE --name NAME"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.services.pool import import_pool


class Command(JsonCommand):
    help = "Add a pool for best-of-n curves: JSON lines as for items, each response with metadata.gold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--name", required=True, help="What the drift page calls it.")

    def handle_json(self, *, project: str, file: Path, name: str, **options: object) -> dict:
        with file.open("rb") as stream:
            pool = import_pool(project=project_named(project), name=name, file=stream)
        prompts = pool.candidates.values("prompt_sha256").distinct().count()
        return {"pool": pool.pk, "prompts": prompts, "candidates": pool.candidates.count()}
