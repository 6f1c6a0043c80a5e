"""An uploaded file becomes items. params: {"file": name under the upload folder, "format", "name": as uploaded}."""

from annotate.services.item import survey_file, write_items
from worker.models import Job
from worker.progress import Progress
from worker.services.claim import Cancelled
from worker.services.upload import discard, path_of


def run(job: Job, progress: Progress) -> dict:
    """Counts of what is new. The file goes once the job has ended for good; a killed worker leaves it for the next."""
    name, format = job.params["file"], job.params["format"]
    try:
        with path_of(name).open("rb") as file:
            survey = survey_file(file=file, format=format, report=progress.report)
            progress.report("writing items", 0, survey.records)

            def store() -> dict:
                counts = write_items(
                    project=job.project,
                    file=file,
                    format=format,
                    survey=survey,
                    actor=job.created_by,
                    report=progress.report,
                )
                progress.log("new: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
                return counts

            counts = progress.finish(store)
    except (ValueError, Cancelled):
        discard(name)
        raise
    discard(name)
    return counts
