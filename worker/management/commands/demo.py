"""manage.py demo [--json]"""

from annotate.management.json_command import JsonCommand
from annotate.world import truth
from worker.services.demo import create_demo


class Command(JsonCommand):
    help = "Create the demo project (the known world) and three accounts; a second call changes nothing."

    def handle_json(self, **_: object) -> dict:
        return create_demo() | {"truth": truth()}
