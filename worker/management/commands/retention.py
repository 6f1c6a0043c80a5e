from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.services.retention import sweep


class Command(JsonCommand):
    help = "Sweep what is over the time that RETENTION gives it; the beat does the same every hour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count alone.")

    def handle_json(self, dry_run: bool, **_: object) -> dict:
        return {"dry_run": dry_run, "rows": sweep(dry=dry_run)}
