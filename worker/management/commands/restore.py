"""manage.py restore FILE [--replace]"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.upkeep.restore import restore


class Command(JsonCommand):
    help = "Make this installation what the backup holds: all of it, read back and compared, or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--replace", action="store_true", help="Forget all that is here.")

    def handle_json(self, *, file: Path, replace: bool, **_: object) -> dict:
        told = restore(path=file, report=self.report, replace=replace)
        if not told["secret_key"]:
            note = "The secret key of this installation stays: without the old one, people sign in anew."
            self.stderr.write(note, style_func=str)
        return told
