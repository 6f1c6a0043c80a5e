"""The guidelines and their versions: each change of the text is a new one, and none is ever lost."""

import difflib
from collections.abc import Iterator

from django.db import transaction

from annotate.models import GuidelineVersion, Project, User
from annotate.services.event import record

CONTEXT = 3  # unchanged lines around a change


@transaction.atomic
def change_guidelines(
    *, project: Project, body: str, actor: User | None = None, restored: int | None = None
) -> GuidelineVersion | None:
    """A new version with this text (Markdown), which raters see from now on; None where nothing changed.

    `restored` is the number of the old version that the text comes from, if it does.
    """
    now = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if now.guidelines == body:
        return None
    number = now.guidelines_number + 1
    version = GuidelineVersion.objects.create(project=now, number=number, body=body, created_by=actor)
    project.guidelines, project.guidelines_number = body, number
    project.save(update_fields=["guidelines", "guidelines_number"])
    record(kind="guidelines.changed", subject=project, project=project, actor=actor, number=number, restored=restored)
    return version


def changes(old: str, new: str) -> Iterator[tuple[str, str]]:
    """The lines that differ, each with its sign: "-" gone, "+" new, " " unchanged around them, "@" lines left out."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=CONTEXT, lineterm="")
    for n, line in enumerate(list(lines)[2:]):  # two lines name the files
        if not line.startswith("@@"):
            yield line[0], line[1:]
        elif n:
            yield "@", ""
