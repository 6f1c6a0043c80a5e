from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand, project_named
from annotate.services.access_token import create_machine_token


class Command(JsonCommand):
    help = "Let a model judge in a project. The token is shown once, and is kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="Short name of the project.")
        parser.add_argument("name", help="What the model is called, among the raters.")

    def handle_json(self, *, project: str, name: str, **options: object) -> dict:
        token, secret = create_machine_token(project=project_named(project), name=name)
        return {"project": project, "rater": token.user.username, "token": secret}
