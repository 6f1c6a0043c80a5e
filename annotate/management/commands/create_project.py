from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from annotate.models import Project
from annotate.schema import DEFAULT
from annotate.schema_text import read_schema
from annotate.services.project import create_project


class Command(JsonCommand):
    help = "Make a project. Superusers administer it; they invite the others."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="Short name, used in addresses and commands.")
        parser.add_argument("--name", help="Title for people; the slug, if not given.")
        parser.add_argument("--schema", type=Path, help="JSON file: what raters are asked. There is a default.")

    def handle_json(self, *, slug: str, name: str | None, schema: Path | None, **options: object) -> dict:
        Project(slug=slug, name=name or slug).full_clean()
        asked = read_schema(schema.read_text(encoding="utf-8")) if schema else DEFAULT
        project = create_project(slug=slug, name=name or slug, schema=asked)
        return {"project": project.slug, "name": project.name, "schema_version": 1}
