"""An uploaded file of answers becomes the same lines with their scores: all of them, or no file.

params: {"version": id, "file": name under the upload folder, "name": as uploaded}
"""

from typing import BinaryIO

from annotate.formats.jsonl import dumps
from worker.jobs.score_file import score_file
from worker.models import Job, Version
from worker.progress import Progress
from worker.services.claim import Cancelled
from worker.services.scored_file import in_store
from worker.services.upload import discard
from worker.store import artifacts, uploads


def run(job: Job, progress: Progress) -> dict:
    """Counts, and the name of the result. The upload goes once the job has ended for good."""
    name = job.params["file"]
    version = Version.objects.select_related("project").get(pk=job.params["version"], project=job.project)
    try:
        with uploads().local(name) as path, path.open("rb") as file:
            told = _write(job, version, file, progress)
    except (ValueError, Cancelled):
        discard(name)
        raise
    discard(name)
    return told


def _write(job: Job, version: Version, file: BinaryIO, progress: Progress) -> dict:
    name = f"job{job.pk}-{job.claim}.jsonl"
    draft = artifacts().draft(in_store(name))
    try:
        with draft.open("x", encoding="utf-8") as target:
            counts = _copy(score_file(version, file, progress.report), target)
        if not counts["lines"]:
            raise ValueError("The file holds no line.")
        artifacts().publish(draft, in_store(name))
        return progress.finish(lambda: _store(job, version, counts | {"result": name}))
    except BaseException:
        draft.unlink(missing_ok=True)
        artifacts().delete(in_store(name))
        raise


def _copy(rows, target) -> dict:
    """Lines written, and of how many answers they speak."""
    counts = {"lines": 0, "answers": 0, "truncated": 0, "undefined": 0}
    for row in rows:
        target.write(dumps(row) + "\n")
        scores = row["scores"] if "scores" in row else [row["score"]]
        cut = row["truncated"] if "scores" in row else [row["truncated"]]
        counts["lines"] += 1
        counts["answers"] += len(scores)
        counts["truncated"] += sum(cut)
        counts["undefined"] += scores.count(None)
    return counts


def _store(job: Job, version: Version, told: dict) -> dict:
    Job.objects.filter(pk=job.pk).update(version=version)
    return told
