"""An uploaded file becomes items, or (`check`) a report on what it would become.

params: {"file": name under the upload folder, "format", "name": as uploaded, "check"?: true}
"""

from typing import BinaryIO

from annotate.formats.holds import warnings
from annotate.services.item import survey_file, write_items
from annotate.services.preview import preview_items
from worker.models import Job
from worker.progress import Progress
from worker.services.claim import Cancelled
from worker.services.upload import discard
from worker.store import uploads


def run(job: Job, progress: Progress) -> dict:
    """Counts of what is new. The file goes once the job has ended for good; a killed worker leaves it for the next.

    A file that was checked stays, to be imported without a second upload, until it is swept.
    """
    name = job.params["file"]
    try:
        with uploads().local(name) as path, path.open("rb") as file:
            told = (_check if job.params.get("check") else _write)(job, file, progress)
    except (ValueError, Cancelled):
        discard(name)
        raise
    if not job.params.get("check"):
        discard(name)
    return told


def _write(job: Job, file: BinaryIO, progress: Progress) -> dict:
    survey = survey_file(file=file, format=job.params["format"], report=progress.report)
    progress.report("writing items", 0, survey.records)
    said = warnings(survey.holds)

    def store() -> dict:
        counts = write_items(
            project=job.project, file=file, survey=survey, actor=job.created_by, report=progress.report
        )
        progress.log("new: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
        for warning in said:
            progress.log(warning)
        return counts | {"warnings": said}

    return progress.finish(store)


def _check(job: Job, file: BinaryIO, progress: Progress) -> dict:
    told = preview_items(project=job.project, file=file, format=job.params["format"], report=progress.report)
    progress.log(f"{told['format']}: {told['items']:,} items, {told['judgements']:,} judgements")
    for warning in told["warnings"]:
        progress.log(warning)
    return progress.finish(lambda: told)
