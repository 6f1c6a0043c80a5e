"""manage.py register_backbone SOURCE [--name NAME]"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand


class Command(JsonCommand):
    help = "Look at a backbone and register it for all projects: minilm, any folder of this machine, or a hub id."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="A folder is preferred to a hub id of the same name.")
        parser.add_argument(
            "--name", default="", help="What it is called; the folder's name or the hub id, if not given."
        )

    def handle_json(self, *, source: str, name: str, **_: object) -> dict:
        from worker.jobs.backbone import register

        folder = Path(source)
        if source != "minilm" and folder.is_dir():
            return register(str(folder.resolve()), name or folder.resolve().name, self.report)
        return register(source, name or source, self.report)
