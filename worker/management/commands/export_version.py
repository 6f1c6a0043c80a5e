"""manage.py export_version VERSION DIR [--adapter]"""

from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.services.version import resolve


class Command(JsonCommand):
    help = "Write a version as a Hugging Face folder, once it is seen to give the version's own scores."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="project:number or project:latest")
        parser.add_argument("dir", metavar="DIR", type=Path, help="A folder that is empty or not there.")
        parser.add_argument("--adapter", action="store_true", help="A LoRA version's adapters alone, for peft.")

    def handle_json(self, *, version: str, dir: Path, adapter: bool, **_: object) -> dict:
        from worker.jobs.export import export_version

        if dir.exists() and (not dir.is_dir() or any(dir.iterdir())):
            raise ValueError(f"{dir} is not empty; give another folder.")
        told = export_version(resolve(version), dir, "adapter" if adapter else "model", self.report)
        return told | {"folder": str(dir)}
