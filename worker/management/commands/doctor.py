"""manage.py doctor [--repair] [--json]"""

from django.core.management.base import CommandError, CommandParser

from annotate.management.json_command import JsonCommand
from worker.upkeep.doctor import TOLD, examine
from worker.upkeep.doctor.fault import Check, Fault


class Command(JsonCommand):
    help = "Hold the whole store against itself; exit status 1 where something is wrong, or stays wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Make again what can be derived; deletes nothing.")

    def handle_json(self, *, repair: bool, **_: object) -> dict | None:
        told = examine(repair=repair, say=self._say(), report=self.report)
        if told["clean"]:
            return told
        self.stdout.write(self._text(told))
        raise CommandError(f"{told['left']:,} fault{'s' if told['left'] != 1 else ''}. {self._next(told, repair)}")

    def _say(self):
        """Each fault as a line, and behind the first of a check what it means; a flood is cut off."""
        seen: dict[str, int] = {}

        def say(check: Check, fault: Fault) -> None:
            n = seen[check.name] = seen.get(check.name, 0) + 1
            if self.as_json or n > TOLD:
                return
            if n == 1:
                self.stderr.write(f"{check.name}: {check.means}", style_func=str)
            self.stderr.write(f"  {fault.subject} {fault.says}" if n < TOLD else "  …", style_func=str)

        return say

    def _next(self, told: dict, repair: bool) -> str:
        derived = any(one["repairable"] and one["left"] for one in told["checks"].values())
        if derived and not repair:
            return "manage.py doctor --repair makes again what can be derived."
        return "What to do stands with each."
