"""manage.py import_run SLUG FILE --name NAME"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.services.policy_run import import_run, values_of


class Command(JsonCommand):
    help = "Add a policy's rollouts: CSV or JSON lines with step, kl, reward, gold, and perhaps length and prompt."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--name", required=True, help="What the drift page calls it.")

    def handle_json(self, *, project: str, file: Path, name: str, **options: object) -> dict:
        with file.open("rb") as stream:
            run = import_run(project=project_named(project), name=name, file=stream)
        return {"run": run.pk, "rollouts": len(values_of(run)["step"])}
