"""manage.py sweep SLUG --recipe lora --grid tuning.learning_rate=1e-5,3e-5 [--wait]"""

from django.conf import settings
from django.core.management.base import CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.management.commands.train import add_recipe
from worker.models import Sweep
from worker.recipes import checked, parse
from worker.services.job import run_now
from worker.services.nudge import HERE
from worker.services.sweep import start_sweep, table
from worker.services.training import source_of


class Command(JsonCommand):
    help = "Train one recipe with several values on the same frozen judgements, and compare."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        add_recipe(parser)
        grid = {"action": "append", "required": True, "metavar": "NAME=VALUE,VALUE"}
        parser.add_argument("--grid", help="All combinations of several are tried.", **grid)
        parser.add_argument("--wait", action="store_true", help="Train here, one after the other, without a worker.")

    def handle_json(
        self, *, slug: str, recipe: str, grid: list[str], queue: str, backbone: str, wait: bool, **options: object
    ) -> dict:
        wanted = checked({"name": recipe} | parse(options["set"]))
        values = {name: text.split(",") for name, text in parse(grid).items()}
        about = {"backbone": source_of(backbone) or settings.BACKBONE, "queue": HERE if wait else queue}
        sweep = start_sweep(project=project_named(slug), recipe=wanted, grid=values, **about)
        if wait:  # a point that fails does not stop the rest
            for job in sweep.jobs.order_by("pk"):
                run_now(job, self.report)
        return {"sweep": sweep.pk, "snapshot": sweep.snapshot.sha256, "runs": _told(sweep)}


def _told(sweep: Sweep) -> list[dict]:
    return [
        {
            "job": row.job.pk,
            "state": row.job.state,
            "values": dict(zip(sweep.grid, row.values, strict=True)),
            "version": str(row.job.version) if row.job.version else None,
            "pair_accuracy": row.accuracy or None,
            "nll": row.metrics.get("nll"),
            "seconds": row.seconds,
            "best": row.best,
            "error": row.job.error,
        }
        for row in table(sweep)
    ]
