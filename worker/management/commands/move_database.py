"""TARGET_DATABASE_URL=postgres://user:password@host/name manage.py move_database"""

import os

from django.core.management.base import CommandError, CommandParser

from annotate.management.json_command import JsonCommand
from worker.upkeep.move import move_database

TARGET = "TARGET_DATABASE_URL"


class Command(JsonCommand):
    help = "Copy the database into an empty one, of PostgreSQL or SQLite, and compare every row. Stop the site first."

    def add_arguments(self, parser: CommandParser) -> None:
        said = f"As DATABASE_URL has it: the new database. With a password set {TARGET}: others see a command line."
        parser.add_argument("url", metavar="URL", nargs="?", help=said)

    def handle_json(self, *, url: str | None, **_: object) -> dict:
        url = url or os.environ.get(TARGET)
        if not url:
            raise CommandError(f"Where to? Set {TARGET} to the address of the new database.")
        told = move_database(url=url, report=self.report)
        self.stderr.write("Every row is the same on both sides. Set DATABASE_URL, then start the site.", style_func=str)
        return told
