"""Celery names. A message carries a job id and nothing else; the row says what to do."""

from celery import shared_task
from celery.signals import worker_ready

from annotate.models import Project
from annotate.services import reliability, tally, throttle
from annotate.services.lease import shorten_leases
from worker.models import Job
from worker.services import delivery, outbox, retention, scored_file, selection, upload
from worker.services import job as jobs
from worker.services import rounds as going


@shared_task(name="worker.run")
def run(job_id: int) -> None:
    """Run the job unless it is taken, ended or deleted: a message may come late, twice, or for nothing."""
    if job := Job.objects.filter(pk=job_id).first():
        jobs.run_now(job)


@shared_task(name="worker.reap")
def reap() -> None:
    """Take up what was left: jobs of dead workers, and leases that only a clock that was set back keeps."""
    jobs.reap()
    shorten_leases()


@shared_task(name="worker.count")
def count() -> None:
    """Count new judgements for the agreement pages; what is left after the time is counted by the next message."""
    tally.count_waiting(seconds=10)
    for project in filter(reliability.due, Project.objects.filter(rater_tallies__isnull=False).distinct()):
        reliability.fit(project=project)


@shared_task(name="worker.rounds")
def rounds() -> None:
    """Move rounds on, start those that are due, and order the open tasks again where a policy asks for it."""
    going.tick()
    selection.tick()


@shared_task(name="worker.webhooks")
def webhooks() -> None:
    """Make what happened into deliveries, and send those that are due."""
    outbox.collect()
    delivery.send_due(seconds=20)


@shared_task(name="worker.sweep")
def sweep() -> None:
    """Delete what is over its time."""
    retention.sweep()
    throttle.forget_old()
    upload.sweep()
    scored_file.sweep_results()


@worker_ready.connect
def reap_at_start(**_: object) -> None:
    reap.delay()
