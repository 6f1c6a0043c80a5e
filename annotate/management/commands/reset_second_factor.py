from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from annotate.models import User
from annotate.services.second_factor import turn_off


class Command(JsonCommand):
    help = "Let somebody in who lost the phone and the recovery codes: the password alone is enough again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="Whose second factor it is. Make sure that it is they who ask.")

    def handle_json(self, *, name: str, **options: object) -> dict:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise ValueError(f"There is no account {name!r}.")
        return {"account": name, "reset": turn_off(user=user, actor=None)}
