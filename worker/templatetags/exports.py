"""What a version can be exported as, for its page."""

from django import template

from worker.models import Version
from worker.models.job import JobState
from worker.services.export import FORMS, archive_of, forms_of, jobs_of
from worker.store import artifacts

register = template.Library()


@register.filter
def exports(version: Version) -> list[dict]:
    """One per form: title, the newest job or None, and whether there is an archive, with its size in bytes."""
    return [_export(version, form) for form in forms_of(version)]


def _export(version: Version, form: str) -> dict:
    jobs = jobs_of(version, form)
    made = jobs.filter(state=JobState.DONE).first()
    return {
        "form": form,
        "title": FORMS[form],
        "job": jobs.first(),
        "made": made if made and artifacts().exists(archive_of(version, form)) else None,
    }
