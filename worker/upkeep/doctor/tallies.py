"""The counts behind the agreement pages, against the judgements they were made from."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

from django.db.models import Exists, OuterRef

from annotate.agreement import Marks, merge
from annotate.models import Dispute, Judgement, Project, RaterTally, TaskTally
from annotate.models.task import AssignmentKind
from annotate.services.reliability import fit
from annotate.services.tally import count_some, lines_of, rater_sums, recount, task_tallies
from worker.upkeep.doctor.fault import Check, Fault

BATCH = 400
CLOSE = 1e-6  # sums of fractions that were added and taken back


def _tallies() -> Iterator[Fault]:
    for project in Project.objects.order_by("pk"):
        for says in _of_project(project):
            yield Fault(f"project {project.pk}", says, project.pk)


def _of_project(project: Project) -> Iterator[str]:
    uncounted = Judgement.objects.filter(~Exists(TaskTally.objects.filter(task=OuterRef("task"))), tallied=True)
    if lost := uncounted.filter(project=project).count():
        yield f"{lost} judgements are said to be counted, and their tasks have no counts"
    for pk in _wrong_tasks(project):
        yield f"task {pk} was counted otherwise than its judgements say"
    yield from _wrong_sums(project)
    yield from _wrong_raters(project)


def _wrong_tasks(project: Project) -> Iterator[int]:
    """Of tasks counted under the schema in force, and of which no judgement waits to be counted."""
    waiting = Judgement.objects.filter(task=OuterRef("task"), tallied=False)
    since = project.schema_version.created_at
    rows = TaskTally.objects.filter(~Exists(waiting), project=project, counted_at__gt=since).order_by("pk")
    stored = rows.iterator(BATCH)
    while some := {row.task_id: row for row in islice(stored, BATCH)}:
        quarrels: dict[int, dict[str, float]] = defaultdict(dict)
        for task, question, share in Dispute.objects.filter(task__in=some).values_list("task", "question", "share"):
            quarrels[task][question] = share
        for right, found in task_tallies(project, some):
            row = some[right.task_id]
            if _plain(right) != _plain(row) or found != quarrels[right.task_id]:
                yield right.task_id


def _plain(row: TaskTally) -> tuple:
    return row.raters, row.disagreement, json.loads(json.dumps([row.patterns, row.marks]))


def _wrong_sums(project: Project) -> Iterator[str]:
    units: Counter = Counter()
    marks: dict[tuple[str, int], Marks] = {}
    for row in TaskTally.objects.filter(project=project).only("patterns", "marks", "bucket", "task").iterator(BATCH):
        units.update(lines_of(row))
        for category, sums in row.marks.items():
            key = category, row.bucket
            marks[key] = merge([marks[key], sums]) if key in marks else merge([sums])
    stored = Counter({(p.side, p.question, p.pattern): p.units for p in project.patterns.iterator() if p.units})
    for side, question, _ in sorted(units.keys() | stored.keys()):
        if units[side, question, _] != stored[side, question, _]:
            yield f"{question} among {side}: the sum of its patterns is not that of the tasks"
            break
    kept = {(row.category, row.bucket): row.sums for row in project.mark_tallies.iterator()}
    empty = Marks(0.0, 0, [], [])
    if wrong := [key for key in marks.keys() | kept.keys() if not _same(marks.get(key, empty), kept.get(key, empty))]:
        yield f"spans of {wrong[0][0]}: the sums of bucket {wrong[0][1]} are not those of its tasks"


def _same(first: Sequence, second: Sequence) -> bool:
    return abs(first[0] - second[0]) <= CLOSE * max(1, abs(first[0])) and list(first[1:]) == list(second[1:])


def _wrong_raters(project: Project) -> Iterator[str]:
    sums: dict[tuple[str, str], Counter] = defaultdict(Counter)
    rows = Judgement.objects.filter(project=project, tallied=True, kind=AssignmentKind.NORMAL, withdrawn_at=None)
    found = rows.select_related("item", "supersedes").order_by("pk").iterator(BATCH)
    while some := list(islice(found, BATCH)):
        for rater, more in rater_sums(some).items():
            sums[rater].update(more)
    kept = {(row.who, row.source): row.sums for row in RaterTally.objects.filter(project=project)}
    for rater in sorted(sums.keys() | kept.keys()):
        if _without_zeros(sums[rater]) != _without_zeros(kept.get(rater, {})):
            yield f"the sums of {rater[0]} are not those of their judgements"


def _without_zeros(sums: dict) -> dict:
    return {name: n for name, n in sums.items() if n}


def _count_again(keys: Sequence[int]) -> int:
    """Everything anew, and the raters' reliability where it was known: each step in a transaction of its own."""
    for project in Project.objects.filter(pk__in=set(keys)):
        fitted = RaterTally.objects.filter(project=project).exclude(reliability={}).exists()
        recount(project=project)
        last = 0
        while some := count_some(project=project, after=last):
            last = some[-1]
        if fitted:
            fit(project=project)
    return len(keys)


CHECKS = (
    Check(
        "tallies",
        "The agreement pages show other figures than the judgements give.",
        "Run manage.py doctor --repair: all is counted again.",
        _tallies,
        _count_again,
    ),
)
