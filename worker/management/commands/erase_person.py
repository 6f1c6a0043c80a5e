from dataclasses import asdict

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand, project_named
from annotate.models import User
from worker.services.erase import erase_name, erase_person, preview


class Command(JsonCommand):
    help = "Say what erasing a person would touch; with --confirm NAME, erase them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="The name of the account, or beside judgements that came with a file.")
        parser.add_argument(
            "--in-project", metavar="SLUG", help="A rater without an account, whose name is this project's."
        )
        parser.add_argument(
            "--judgements", choices=["keep", "remove"], default="keep", help="Under a pseudonym, or not."
        )
        parser.add_argument("--confirm", metavar="NAME", help="The name of the account once more. It cannot be undone.")

    def handle_json(
        self, person: str, judgements: str, confirm: str | None, in_project: str | None = None, **_: object
    ) -> dict:
        if in_project:
            return self._by_name(in_project, person, judgements == "remove", confirm)
        user = User.objects.get(username=person)
        if confirm is None:
            return asdict(preview(user)) | {"erased": False}
        self._check(person, confirm)
        removed = erase_person(user=user, remove=judgements == "remove")
        return {"erased": True, "pseudonym": user.username, "removed": removed}

    def _by_name(self, slug: str, name: str, remove: bool, confirm: str | None) -> dict:
        project = project_named(slug)
        if confirm is None:
            return {"judgements": project.judgements.filter(rater=None, rater_name=name).count(), "erased": False}
        self._check(name, confirm)
        return {"erased": True, "removed": erase_name(project=project, name=name, remove=remove)}

    def _check(self, name: str, confirm: str) -> None:
        if confirm != name:
            raise ValueError("--confirm is not the name.")
