"""manage.py backup FILE [--with-secret-key]"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.upkeep.backup import backup


class Command(JsonCommand):
    help = "Write the database and the files it names into one archive, while the site runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", type=Path, help="An older file of this name is replaced at the end."
        )
        parser.add_argument("--with-secret-key", action="store_true", help="Put the site's secret into it as well.")

    def handle_json(self, *, file: Path, with_secret_key: bool, **_: object) -> dict:
        told = backup(path=file, report=self.report, with_secret=with_secret_key)
        if not with_secret_key:
            note = "The secret key is not in it: keep it apart, or people sign in anew and raters' hidden draws change."
            self.stderr.write(note, style_func=str)
        for name in told["missing"]:
            self.stderr.write(f"{name} is named by a row and was not there.", style_func=str)
        return told
