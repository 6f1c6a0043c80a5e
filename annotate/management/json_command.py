"""What every command of ours shares: `--json`, a silent standard output, and one clear line on an error."""

import contextlib
import json
import sys
import time
from collections.abc import Mapping

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError

from annotate.models import Project

EXPECTED = (ValueError, ValidationError, ObjectDoesNotExist, PermissionDenied, OSError, OperationalError)


class JsonCommand(BaseCommand):
    """A command that writes `handle_json(**options) -> dict`.

    With `--json` exactly one JSON object goes to standard output; without it, the same values to be read by
    people. Progress goes to standard error. An expected error is one line there and exit status 1. A command that
    streams its own lines to standard output (unless `self.as_json`) returns None.
    """

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: object) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")
        return parser

    def handle(self, *args: object, **options: object) -> None:
        self.as_json = options.pop("json", False)
        try:
            with contextlib.redirect_stdout(sys.stderr):  # a chatty library must not spoil the object
                result = self.handle_json(**options)
            if result is not None:
                self.stdout.write(self._text(result))
        except EXPECTED as error:
            raise CommandError(one_line(error)) from error

    def _text(self, result: dict) -> str:
        return json.dumps(result, cls=DjangoJSONEncoder, allow_nan=False) if self.as_json else readable(result)

    def handle_json(self, **options: object) -> dict | None:
        """Do the work and return what is to be told, as plain JSON values."""
        raise NotImplementedError

    def report(self, stage: str, done: int, total: int, metrics: Mapping[str, float] | None = None) -> None:
        """Say on standard error how far the work is: at each new stage, at its end, and once a second."""
        now = time.monotonic()
        at_end, last_time = getattr(self, "_reported", {}).get(stage, (None, 0.0))
        if at_end is (done >= total) and now - last_time < 1.0:
            return
        self._reported = {stage: (done >= total, now)}
        figures = "".join(f"  {name} {value:.4g}" for name, value in (metrics or {}).items())
        self.stderr.write(f"{stage} {done:,} of {total:,}{figures}", style_func=str)


def project_named(slug: str) -> Project:
    """The project, or a CommandError that names what was asked for."""
    try:
        return Project.objects.get(slug=slug)
    except Project.DoesNotExist:
        raise CommandError(f"There is no project {slug!r}.") from None


def one_line(error: Exception) -> str:
    """The message of an expected error without line breaks."""
    text = "; ".join(error.messages).replace(".; ", ". ") if isinstance(error, ValidationError) else str(error)
    return " ".join(text.split()) or type(error).__name__


def readable(value: Mapping, indent: str = "") -> str:
    """Nested values as indented lines, `name: value`."""
    lines = []
    for name, part in value.items():
        if isinstance(part, Mapping):
            lines += [f"{indent}{name}:", readable(part, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {f'{part:.4g}' if isinstance(part, float) else part}")
    return "\n".join(lines)
