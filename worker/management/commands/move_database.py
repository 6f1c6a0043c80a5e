"""manage.py move_database postgres://user:password@host/name"""

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.upkeep.move import move_database


class Command(JsonCommand):
    help = "Copy the database into an empty one, of PostgreSQL or SQLite, and compare every row. Stop the site first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL", help="As DATABASE_URL has it: the new database.")

    def handle_json(self, *, url: str, **_: object) -> dict:
        told = move_database(url=url, report=self.report)
        self.stderr.write("Every row is the same on both sides. Set DATABASE_URL, then start the site.", style_func=str)
        return told
