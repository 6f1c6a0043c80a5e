"""An edited response gets the scores of all heads, and an explanation of those that were asked for."""

from dataclasses import replace

import numpy as np
from django.conf import settings

from worker.jobs.dataset import example_of
from worker.jobs.explained import FIELDS, explained, fields_of, wanted
from worker.jobs.loading import model_of
from worker.jobs.scored import scored
from worker.models import Edit, EditAttribution, Job
from worker.progress import Progress
from worker.rm.types import Example, Scored

GONE = "This text was put away for newer ones: ask for it again."


def run(job: Job, progress: Progress) -> dict:
    """params: edit (id), heads, methods. Explanations that the edit has are replaced."""
    rows = Edit.objects.select_related("version", "response__item").filter(version__project=job.project)
    edit = rows.filter(pk=job.params["edit"]).first()
    if edit is None:
        raise ValueError(GONE)
    example = replace(example_of(edit.response), key=f"edit {edit.pk}", response=edit.text)
    found = scored(edit.version, [example], settings.CACHE_DIR, progress.report)
    told, left_out = _explained(edit, example, job.params, progress)
    return progress.finish(lambda: _store(job, edit, found, told) | {"left_out": left_out})


def _explained(edit: Edit, example: Example, asked: dict, progress: Progress) -> tuple[list[EditAttribution], list]:
    model = model_of(edit.version)
    pairs, left_out = wanted(model, asked)
    told = [
        EditAttribution(edit=edit, **fields_of(one))
        for method, heads in pairs.items()
        for _, one in explained(model, [example], method, heads, progress.report)
    ]
    return told, left_out


def _store(job: Job, edit: Edit, found: Scored, told: list[EditAttribution]) -> dict:
    """A score that is not defined is null, as a reference that a transform needs may not be known."""
    scores = {head: None if np.isnan(values[0]) else float(values[0]) for head, values in found.heads.items()}
    if not Edit.objects.filter(pk=edit.pk).update(scores=scores):
        raise ValueError(GONE)
    unique = ["edit", "head", "method"]
    EditAttribution.objects.bulk_create(told, update_conflicts=True, unique_fields=unique, update_fields=FIELDS)
    Job.objects.filter(pk=job.pk).update(version=edit.version)
    return {"scores": scores, "attributions": len(told)}
