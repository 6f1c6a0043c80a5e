"""manage.py train SLUG --recipe heads [--wait]"""

from django.core.management.base import CommandError, CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.models import Job
from worker.models.job import JobState
from worker.services.job import run_now
from worker.services.nudge import HERE
from worker.services.training import RECIPES, start_training


class Command(JsonCommand):
    help = "Freeze the judgements of a project and train a new version on them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--recipe", choices=RECIPES, default=RECIPES[0])
        parser.add_argument("--queue", choices=["cpu", "gpu"], default="cpu")
        parser.add_argument("--wait", action="store_true", help="Train and score here, without a worker.")

    def handle_json(self, *, slug: str, recipe: str, queue: str, wait: bool, **_: object) -> dict:
        job = start_training(project=project_named(slug), recipe=recipe, queue=HERE if wait else queue)
        snapshot = job.project.snapshots.get(pk=job.params["snapshot"])
        frozen = {"snapshot": snapshot.sha256, "rows": snapshot.counts}
        if not wait:
            return {"job": job.pk, "state": job.state} | frozen
        version = self._run(job).version
        self._run(Job.objects.get(pk=job.result["score_job"]))
        return {"version": str(version)} | frozen | {"metrics": version.metrics, "seconds": version.metrics["seconds"]}

    def _run(self, job: Job) -> Job:
        run_now(job, self.report)
        if job.state != JobState.DONE:
            raise CommandError(f"{job} {job.state}: {job.error} {job.advice}".strip())
        return job
