"""manage.py transform VERSION STEPS [--references FILE]"""

import json
from pathlib import Path

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.services.transform import transform_version
from worker.services.version import resolve


class Command(JsonCommand):
    help = (
        "Make a new version of the same model whose score is transformed. STEPS is a JSON list, done in its order: "
        '[{"name": "standardise"}, {"name": "log_sigmoid", "of": "quantile", "quantile": 0.85}, '
        '{"name": "clip", "low": -5, "high": 5}]. Also: temperature, baseline, delta (docs/serving.md).'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", metavar="VERSION", help="project:number or project:latest")
        parser.add_argument("steps", metavar="STEPS", type=json.loads)
        parser.add_argument(
            "--references",
            metavar="FILE",
            type=Path,
            help="Answers to prompts the project has not: lines as for score.",
        )

    def handle_json(self, *, version: str, steps: object, references: Path | None, **_: object) -> dict:
        found, given = resolve(version), None
        if references:
            from worker.jobs.reference_file import reference_file

            with references.open("rb") as file:
                given = reference_file(found, file, self.report)
        made = transform_version(version=found, transforms=steps, references=given)
        return {"version": str(made), "transforms": made.transforms, "references": made.references.count()}
