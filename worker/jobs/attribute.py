"""Why responses got their scores: Attribution rows, stored as they are made, by any methods for any heads."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from annotate.models import Response
from worker.jobs.dataset import example_of
from worker.jobs.explained import FIELDS, Wanted, explained, fields_of, wanted
from worker.jobs.files import batches
from worker.jobs.loading import model_of
from worker.models import Attribution, Job, Version
from worker.progress import Progress

SLICE = 512  # responses read from the database at a time
EVERY = 10.0  # seconds of work, or so, that a killed worker may lose
MOST = 256  # rows kept until then


def run(job: Job, progress: Progress) -> dict:
    """params: version (id), methods, heads, and responses (ids) or marked (true).

    Marked: every response that people looked at for errors; what is explained already is left as it is, so that a
    job that was stopped goes on where it was. Of responses that are named the new explanation replaces the old.
    """
    version = Version.objects.get(pk=job.params["version"], project=job.project)
    pairs, left_out = wanted(model_of(version), job.params)
    todo, known = _todo(version, job.params, pairs)
    rows, made, stored = [], 0, time.monotonic()
    for row in _made(version, todo, pairs, progress):
        rows.append(row)
        made += 1
        if len(rows) >= MOST or time.monotonic() - stored > EVERY:
            _store(rows)
            rows, stored = [], time.monotonic()
    told = {"attributions": made, "known": known, "left_out": left_out}
    return progress.finish(lambda: _end(job, version, rows, told))


def _todo(version: Version, asked: Mapping, pairs: Wanted) -> tuple[dict[str, list[int]], int]:
    """Method → ids of the responses to explain by it, and how many explanations are there already."""
    own = Response.objects.filter(item__project=version.project).order_by("pk").values_list("pk", flat=True)
    if not asked.get("marked"):
        found = list(own.filter(pk__in=asked["responses"]))
        return dict.fromkeys(pairs, found), 0
    looked = version.project.judgements.of_people().looked_at()
    ids = [pk for pk in own if pk in looked]
    rows = Attribution.objects.filter(version=version, method__in=pairs).values_list("response_id", "method", "head")
    there = {row for row in rows if row[2] in pairs[row[1]] and row[0] in looked}
    todo = {method: [pk for pk in ids if any((pk, method, h) not in there for h in pairs[method])] for method in pairs}
    return todo, len(there)


def _made(
    version: Version, todo: Mapping[str, Sequence[int]], pairs: Wanted, progress: Progress
) -> Iterator[Attribution]:
    """Method by method."""
    model = model_of(version)
    for method, ids in todo.items():
        heads, before = pairs[method], 0
        for part in batches(ids, SLICE):
            responses = list(Response.objects.filter(pk__in=part).select_related("item").order_by("pk"))
            examples = [example_of(response) for response in responses]
            report = partial(_report, progress, before, len(ids) * len(heads))
            for n, told in explained(model, examples, method, heads, report):
                yield Attribution(version=version, response=responses[n], **fields_of(told))
            before += len(responses) * len(heads)


def _report(progress: Progress, before: int, total: int, stage: str, done: int, *_: object) -> None:
    progress.report(stage, before + done, total)


def _store(rows: Sequence[Attribution]) -> None:
    """A second explanation of the same thing replaces the first."""
    unique = ["version", "response", "head", "method"]
    Attribution.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=FIELDS)


def _end(job: Job, version: Version, rows: Sequence[Attribution], told: dict) -> dict:
    _store(rows)
    Job.objects.filter(pk=job.pk).update(version=version)
    return told
