"""What if the response were this? A text that a researcher makes of a response, scored and explained by a worker.

A page asks once and then looks again every second or so: `edit.scores` (head → score, {} until a worker has read the
text) and `edit.attributions` (by head and method) fill when the job ends; `job_of` says how far it is, and why it
failed. The same text, head and methods asked again cost nothing: the rows are there at once.
"""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.formats.record import text_sha256
from annotate.models import Project, Response, User
from worker.explain import METHODS
from worker.models import Edit, Job, Version
from worker.models.job import JobKind, JobState
from worker.models.version import PREFERENCE
from worker.services.job import launch

LONGEST = 100_000  # characters
KEPT = 200  # edits of a version


@transaction.atomic
def ask(
    *,
    version: Version,
    response: Response,
    text: str,
    head: str = PREFERENCE,
    methods: Sequence[str] = ("exact",),
    actor: User | None = None,
) -> Edit:
    """The edit, with a job that scores all its heads and explains this one, unless one did, does or is about to.

    Line ends become those of the response, for a browser sends its own. ValidationError for a text that cannot be
    read, and for a head or a method that there is not. The oldest edits of the version go beyond KEPT.
    """
    text = _readable(text, response)
    _check(version, response, head, methods)
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)  # two at once would launch two
    own = {"version": version, "response": response, "sha256": text_sha256(text)}
    edit, new = Edit.objects.get_or_create(**own, defaults={"text": text, "created_by": actor})
    if new:
        _prune(version)
    job = job_of(edit, head, methods)
    if job is None or job.state in (JobState.FAILED, JobState.CANCELLED):
        params = _params(edit, head, methods)
        launch(project=version.project, kind=JobKind.WHATIF, params=params, actor=actor)
    return edit


def job_of(edit: Edit, head: str, methods: Sequence[str]) -> Job | None:
    """The newest job that was to explain this head of the edit by these methods; None where nobody asked."""
    jobs = Job.objects.filter(project=edit.version.project_id, kind=JobKind.WHATIF)
    return jobs.filter(params=_params(edit, head, methods)).order_by("-pk").first()


def _params(edit: Edit, head: str, methods: Sequence[str]) -> dict:
    """Equal for equal questions."""
    return {"version": edit.version_id, "edit": edit.pk, "heads": [head], "methods": sorted(set(methods))}


def _readable(text: str, response: Response) -> str:
    if "\r" not in response.text:
        text = text.replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise ValidationError(f"The text has {len(text):,} characters: shorten it to {LONGEST:,}.")
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValidationError("The text holds characters that are no letters: paste it again as plain text.")
    return text


def _check(version: Version, response: Response, head: str, methods: Sequence[str]) -> None:
    if response.item.project_id != version.project_id:
        raise ValidationError("This response belongs to another project than the version.")
    if head not in version.heads:
        raise ValidationError(f"{version} has no head {head!r}; it has {', '.join(version.heads)}.")
    if unknown := sorted(set(methods) - set(METHODS)):
        raise ValidationError(f"There is no method {unknown[0]!r}; there are {', '.join(METHODS)}.")


def _prune(version: Version) -> None:
    old = version.edits.order_by("-pk").values_list("pk", flat=True)[KEPT:]
    version.edits.filter(pk__in=list(old)).delete()
