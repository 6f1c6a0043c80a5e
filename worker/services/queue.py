"""What waits, what runs, and who could take it."""

from collections import defaultdict
from dataclasses import dataclass

from annotate.models import Project
from worker.models import Job, Node
from worker.models.job import JobState
from worker.services.node import is_stale
from worker.services.nudge import HERE

START = ".venv/bin/python -m celery -A config worker -Q {queue} -c 1"


@dataclass(frozen=True)
class Worker:
    node: Node
    stale: bool
    job: Job | None  # what it does now


def places() -> dict[int, int]:
    """Job id → its place among those that wait in the same queue, 1 is next. All projects share the queues."""
    place: dict[int, int] = {}
    length: dict[str, int] = defaultdict(int)
    waiting = Job.objects.filter(state=JobState.QUEUED).order_by("pk").values_list("pk", "queue")
    for pk, queue in waiting:
        length[queue] += 1
        place[pk] = length[queue]
    return place


def workers() -> list[Worker]:
    """All that were seen within a day, those that are alive first."""
    running = {job.worker: job for job in Job.objects.filter(state=JobState.RUNNING).select_related("project")}
    found = [Worker(node, is_stale(node), running.get(node.name)) for node in Node.objects.all()]
    return sorted(found, key=lambda worker: worker.stale)


def unserved(jobs: list[Job], known: list[Worker]) -> dict[str, str]:
    """Queue → the command that starts a worker for it, for queues where jobs wait and that no living worker serves."""
    served = {queue for worker in known if not worker.stale for queue in worker.node.queues}
    waiting = {job.queue for job in jobs if job.state == JobState.QUEUED} - served
    return {queue: START.format(queue=queue) for queue in sorted(waiting)}


def unfinished(project: Project) -> list[Job]:
    """The project's jobs that run or wait, in the order in which they would be taken."""
    jobs = project.jobs.unfinished().select_related("created_by", "sweep")
    return sorted(jobs, key=lambda job: (job.state != JobState.RUNNING, job.pk))


@dataclass(frozen=True)
class Waiting:
    """Of a queued job: its place, 1 is next, and the command that starts a worker where none serves its queue."""

    place: int
    command: str | None


def waiting(job: Job) -> Waiting | None:
    """None when it does not wait, or waits for the process that launched it."""
    if job.state != JobState.QUEUED or job.queue == HERE:
        return None
    before = Job.objects.filter(state=JobState.QUEUED, queue=job.queue, pk__lt=job.pk).count()
    served = any(job.queue in node.queues and not is_stale(node) for node in Node.objects.all())
    return Waiting(before + 1, None if served else START.format(queue=job.queue))
