"""manage.py average VERSION VERSION … [--ensemble RULE [--uwo-weight λ] [--quantile q]] [--wait]"""

from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand
from worker.services.average import start_average, start_ensemble
from worker.services.job import HERE, run_now
from worker.services.version import resolve


class Command(JsonCommand):
    help = "Make the mean of several fine-tunes' weights, or an ensemble of several versions, a version of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("versions", metavar="VERSION", nargs="+", help="project:number")
        parser.add_argument("--ensemble", metavar="RULE", help="score together by mean, wco, uwo or quantile")
        parser.add_argument("--uwo-weight", type=float, default=0.5, help="λ of mean − λ · variance")
        parser.add_argument("--quantile", type=float, default=0.25, help="of the members")
        parser.add_argument("--wait", action="store_true", help="run the job here and now")

    def handle_json(self, *, versions: list[str], ensemble: str | None, wait: bool, **weights: float) -> dict:
        given = {"versions": [resolve(name) for name in versions], "queue": HERE if wait else "cpu"}
        if ensemble:
            own = {name: weights[name] for name in ("uwo_weight", "quantile")}
            job = start_ensemble(**given, rule=ensemble, **own)
        else:
            job = start_average(**given)
        job = run_now(job, self.report) if wait else job
        return {"job": job.pk, "state": job.state, "error": job.error} | job.result
