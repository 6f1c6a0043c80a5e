"""manage.py round SLUG [--wait]"""

from django.core.management.base import CommandError, CommandParser

from annotate.management.json_command import JsonCommand, project_named
from worker.models import Job, Round
from worker.models.job import JobState
from worker.models.round import RoundState
from worker.services import rounds
from worker.services.job import run_now
from worker.services.nudge import HERE


class Command(JsonCommand):
    help = "Run a round: train by the project's policy, measure on its suite, promote what is better."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--wait", action="store_true", help="Do all of it here, without a worker.")

    def handle_json(self, *, slug: str, wait: bool, **_: object) -> dict:
        one = rounds.start(project=project_named(slug), reason="asked", queue=HERE if wait else "")
        if not wait:
            return {"round": one.number, "job": one.job_id, "state": one.state}
        trained = self._step(one, one.job)
        if trained.state == JobState.DONE:
            for pk in (trained.result["score_job"], *trained.result.get("suite_jobs", [])):
                run_now(Job.objects.get(pk=pk), self.report)
        while one.state == RoundState.MEASURING:
            self._step(one, rounds.measuring(one))
        if one.state == RoundState.FAILED:
            raise CommandError(one.words)
        told = {"round": one.number, "state": one.state, "version": str(one.version), "words": one.words}
        return told | {"comparison": one.comparison}

    def _step(self, one: Round, job: Job) -> Job:
        ended = run_now(job, self.report)
        rounds.advance(one)
        one.refresh_from_db()
        return ended
