"""Look at a backbone and register it."""

from dataclasses import asdict

from worker.models import Backbone, Job
from worker.progress import Progress
from worker.rm.facts import describe
from worker.rm.types import Report, silent
from worker.services.backbone import store


def run(job: Job, progress: Progress) -> dict:
    """params: source ("minilm", a folder, or a hub id), name."""
    facts = asdict(describe(job.params["source"], progress.report))
    return progress.finish(lambda: told(store(**job.params, facts=facts, actor=job.created_by)))


def register(source: str, name: str, report: Report = silent) -> dict:
    """The same without a job, for the command."""
    return told(store(name=name, source=source, facts=asdict(describe(source, report))))


def told(found: Backbone) -> dict:
    names = ("name", "source", "architecture", "causal", "parameters", "context_length", "licence", "sha256")
    return {name: getattr(found, name) for name in names}
