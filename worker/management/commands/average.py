"""manage.py average VERSION VERSION … [--wait]"""

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.services.average import start_average
from worker.services.job import HERE, run_now
from worker.services.version import resolve


class Command(JsonCommand):
    help = "Make the mean of several fine-tunes' weights a version of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("versions", metavar="VERSION", nargs="+", help="project:number, of fine-tunes of one start")
        parser.add_argument("--wait", action="store_true", help="run the job here and now")

    def handle_json(self, *, versions: list[str], wait: bool, **_: object) -> dict:
        job = start_average(versions=[resolve(name) for name in versions], queue=HERE if wait else "cpu")
        job = run_now(job, self.report) if wait else job
        return {"job": job.pk, "state": job.state, "error": job.error} | job.result
