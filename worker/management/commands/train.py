"""manage.py train SLUG --recipe heads --set tuning.epochs=2 [--wait]"""

from django.core.management.base import CommandError, CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.models import Job
from worker.models.job import JobState
from worker.recipes import TRAINERS, checked, parse
from worker.services.job import run_now
from worker.services.nudge import HERE
from worker.services.training import source_of, start_training


def add_recipe(parser: CommandParser) -> None:
    """The arguments by which a command is told a recipe; `recipe_in` reads them."""
    parser.add_argument("--recipe", choices=TRAINERS, default="heads", help="The trainer.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="As tuning.epochs=2.")
    parser.add_argument("--backbone", default="", help="A registered one, a folder or a hub id.")
    parser.add_argument("--queue", choices=["cpu", "gpu"], default="cpu")


class Command(JsonCommand):
    help = "Freeze the judgements of a project and train a new version on them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        add_recipe(parser)
        parser.add_argument("--wait", action="store_true", help="Train, score and measure here, without a worker.")

    def handle_json(self, *, slug: str, recipe: str, queue: str, backbone: str, wait: bool, **options: object) -> dict:
        wanted = checked({"name": recipe} | parse(options["set"]))
        place = HERE if wait else queue
        job = start_training(project=project_named(slug), recipe=wanted, backbone=source_of(backbone), queue=place)
        snapshot = job.project.snapshots.get(pk=job.params["snapshot"])
        frozen = {"snapshot": snapshot.sha256, "rows": snapshot.counts}
        if not wait:
            return {"job": job.pk, "state": job.state} | frozen
        version = self._run(job).version
        for pk in (job.result["score_job"], *job.result.get("suite_jobs", [])):
            self._run(Job.objects.get(pk=pk))
        return {"version": str(version)} | frozen | {"metrics": version.metrics, "seconds": version.metrics["seconds"]}

    def _run(self, job: Job) -> Job:
        run_now(job, self.report)
        if job.state != JobState.DONE:
            raise CommandError(f"{job} {job.state}: {job.error} {job.advice}".strip())
        return job
