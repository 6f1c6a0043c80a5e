"""manage.py import_pool SLUG FILE --name NAME [--prompt COLUMN --gold COLUMN,COLUMN [--without COLUMN=VALUE]]"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.services.pool import import_pool, import_table, left_out, listed


class Command(JsonCommand):
    help = (
        "Add a pool for best-of-n curves: JSON lines as for items, each response with metadata.gold; or with --prompt "
        "a table of numbers, a candidate a line."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--name", required=True, help="What the drift page calls it.")
        parser.add_argument("--prompt", default="", help="Of a table: the column that says which lines compete.")
        parser.add_argument("--gold", default="gold", help="Of a table: the columns whose mean is the gold.")
        parser.add_argument("--without", default="", help="Of a table: COLUMN=VALUE of lines to leave out.")

    def handle_json(
        self, *, project: str, file: Path, name: str, prompt: str, gold: str, without: str, **options: object
    ) -> dict:
        with file.open("rb") as stream:
            about = {"project": project_named(project), "name": name, "file": stream}
            if prompt:
                about |= {"prompt": prompt, "gold": listed(gold), "without": left_out(without)}
            pool = import_table(**about) if prompt else import_pool(**about)
        return {"pool": pool.pk, "prompts": pool.prompts, "candidates": pool.size}
