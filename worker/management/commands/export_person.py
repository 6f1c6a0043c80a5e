import shutil
from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from annotate.models import User
from worker.services.person import counts_of, hand_over


class Command(JsonCommand):
    help = "Write all that is stored about a person into a ZIP of JSON lines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="The name of the account.")
        parser.add_argument("file", type=Path, help="The ZIP; one that is there is not overwritten.")

    def handle_json(self, person: str, file: Path, **_: object) -> dict:
        user = User.objects.get(username=person)
        with file.open("xb") as target, hand_over(user=user) as source:
            shutil.copyfileobj(source, target)
        return {"file": str(file), "rows": counts_of(user)}
