"""Keeping the counts of annotate.models.tally up to date: each judgement is counted once, soon after it was made.

Counting goes by tasks: what a task added before is taken back, and what it says now is added. A rater's sums grow by
what a judgement says and shrink by what the one it supersedes said.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Length

from annotate.agreement import merge
from annotate.models import (
    Agreement,
    Dispute,
    Judgement,
    MarkTally,
    Pattern,
    Project,
    RaterTally,
    Response,
    Side,
    Span,
    TaskTally,
)
from annotate.models.judgement import Source
from annotate.models.task import AssignmentKind
from annotate.schema import Schema
from annotate.services.agreement import refresh
from annotate.tally import Asked, Said, Unit, across, disputes, gathered, marked_texts, pattern, places, sums, taken

MOST = 400  # judgements counted in one transaction
Mark = tuple[int, str, int, int]  # response, category, start, end
Line = tuple[str, str, str]  # side, question, pattern


@transaction.atomic
def count_some(*, project: Project, most: int = MOST, after: int = 0) -> list[int]:
    """Count up to `most` judgements past this id that are not counted yet; returns their ids.

    None while somebody else counts.
    """
    if not Project.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=project.pk).first():
        return []
    rows = project.judgements.filter(tallied=False, pk__gt=after).select_related("item", "supersedes")
    fresh = list(rows.order_by("pk")[:most])
    if fresh:
        count_tasks(project, {row.task_id for row in fresh})
        _settle_repeats(row for row in fresh if row.kind == AssignmentKind.REPEAT)
        _count_raters(project, fresh)
        Judgement.objects.filter(pk__in=[row.pk for row in fresh]).update(tallied=True)
    return [row.pk for row in fresh]


def count_waiting(*, seconds: float) -> int:
    """Count what waits in every project, until the time is over; returns how many judgements were counted."""
    end, counted = time.monotonic() + seconds, 0
    waiting = Judgement.objects.filter(project=OuterRef("pk"), tallied=False)
    for project in Project.objects.filter(Exists(waiting)):
        last = 0  # named, since a server without fresh statistics would pass by all that are counted already
        while time.monotonic() < end and (some := count_some(project=project, after=last)):
            counted, last = counted + len(some), some[-1]
    for project in Project.objects.filter(Exists(Agreement.objects.filter(project=OuterRef("pk"), stale=True))):
        refresh(project=project, seconds=max(0.0, end - time.monotonic()))
    return counted


@transaction.atomic
def recount(*, project: Project) -> None:
    """Forget all counts: they are made again from the judgements, some at a time."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    for model in (TaskTally, Pattern, MarkTally, Agreement, Dispute, RaterTally):
        model.objects.filter(project=project).delete()
    project.judgements.filter(tallied=True).update(tallied=False)


def said_by(row: Judgement, spans: Iterable[Mark] = ()) -> Said:
    """A judgement as counting reads it, with its spans."""
    looked = {*row.checked, *(gap["response"] for gap in row.omissions)}
    marked: dict[int, dict[str, list[tuple[int, int]]]] = {response: {} for response in looked}
    for response, category, start, end in spans:
        marked.setdefault(response, {}).setdefault(category, []).append((start, end))
    return Said(
        row.shown_order,
        row.outcome,
        row.ranking,
        row.strength,
        row.ratings,
        row.safety,
        row.steps,
        marked,
        row.active_ms,
    )


def who(row: Judgement) -> str:
    """The rater as RaterTally names them."""
    return f"user:{row.rater_id}" if row.rater_id else f"name:{row.rater_name}"


# ---- Tasks


def count_tasks(project: Project, ids: set[int]) -> None:
    """Count these tasks as they are now, in place of what they added before; the caller holds the project's lock."""
    old = {tally.task_id: tally for tally in TaskTally.objects.filter(task__in=ids)}
    tallies, quarrels, change, marks = [], [], Counter(), defaultdict(list)
    for tally, found in task_tallies(project, ids):
        before = old.get(tally.task_id)
        change.update(lines_of(tally))
        change.subtract(lines_of(before) if before else ())
        marks[tally.bucket] += tally.marks.items()
        marks[tally.bucket] += [(name, taken(sums)) for name, sums in (before.marks if before else {}).items()]
        tallies.append(tally)
        quarrels += [Dispute(project=project, task_id=tally.task_id, question=q, share=s) for q, s in found.items()]
    Dispute.objects.filter(task__in=ids).delete()
    Dispute.objects.bulk_create(quarrels)
    fields = ["raters", "disagreement", "patterns", "marks", "counted_at"]
    TaskTally.objects.bulk_create(tallies, update_conflicts=True, unique_fields=["task"], update_fields=fields)
    _change_patterns(project, {line: units for line, units in change.items() if units})
    _change_marks(project, marks)


def task_tallies(project: Project, ids: Collection[int]) -> Iterator[tuple[TaskTally, dict[str, float]]]:
    """What the judgements of each of these tasks say now, not saved, and on which questions people disagree."""
    asked, by_task = _asked(project.schema), defaultdict(list)
    rows = list(Judgement.objects.counted().filter(task__in=ids))
    spans = _spans([row.pk for row in rows])
    for row in rows:
        by_task[row.task_id].append((row.source, said_by(row, spans[row.pk])))
    lengths = _lengths({pk for row in rows for pk in row.shown_order})
    for task_id in sorted(ids):
        tally, found = _tally(project, task_id, by_task[task_id], asked, lengths)
        yield tally, {question: share for question, share in found.items() if share}


def _spans(judgements: Sequence[int]) -> dict[int, list[Mark]]:
    """Judgement id -> its spans; one plain query, since a prefetch of thousands of rows costs more than counting."""
    found: dict[int, list[Mark]] = defaultdict(list)
    fields = ("judgement_id", "response_id", "category", "start", "end")
    for judgement, *mark in Span.objects.filter(judgement__in=judgements).order_by("pk").values_list(*fields):
        found[judgement].append(tuple(mark))
    return found


def _asked(schema: Schema) -> Asked:
    """Of one criterion that weighs, the mean would be its rating again."""
    criteria = schema.criteria if sum(one.weight > 0 for one in schema.criteria) > 1 else ()
    return Asked([one.key for one in schema.categories], [one.key for one in schema.safety], criteria)


def _tally(
    project: Project, task_id: int, judged: Sequence[tuple[str, Said]], asked: Asked, lengths: Mapping[int, int]
) -> tuple[TaskTally, dict[str, float]]:
    people = [said for source, said in judged if source != Source.MACHINE]
    machines = [said for source, said in judged if source == Source.MACHINE]
    found = {Side.PEOPLE: gathered(people, asked), Side.MACHINES: gathered(machines, asked)}
    quarrels = disputes(found[Side.PEOPLE])
    lines = [[*line, units] for line, units in sorted(_patterns(found).items())]
    tally = TaskTally(project=project, task_id=task_id, raters=len(people), patterns=lines)
    tally.bucket = task_id % TaskTally.BUCKETS
    tally.marks = {name: sums for name, sums in marked_texts(people, asked, lengths).items() if sums.positions}
    answered = [share for question, share in quarrels.items() if question != "rubric"]
    tally.disagreement = quarrels.get("preference", max(answered, default=None))
    return tally, quarrels | disputes(places(people, asked))


def _patterns(found: Mapping[str, Mapping[Unit, Counter]]) -> Counter[Line]:
    lines: Counter[Line] = Counter()
    for side, units in found.items():
        lines.update((str(side), question, pattern(counts)) for (question, _), counts in units.items())
    people, machines = found[Side.PEOPLE], found[Side.MACHINES]
    for unit in people.keys() & machines.keys():
        lines[str(Side.ACROSS), unit[0], across(people[unit], machines[unit])] += 1
    return lines


def lines_of(tally: TaskTally) -> Counter[Line]:
    """(side, question, pattern) → units, as it was counted."""
    return Counter({(side, question, text): units for side, question, text, units in tally.patterns})


def _change_patterns(project: Project, change: Mapping[Line, int]) -> None:
    """Add to the stored counts; the caller holds the project's lock, so nobody else does."""
    keys = {line: sha256(line[2].encode()).hexdigest() for line in change}
    stored = Pattern.objects.filter(project=project, digest__in=set(keys.values()))
    now = {(row.side, row.question, row.pattern): row.units for row in stored}
    rows = [
        Pattern(
            project=project, side=line[0], question=line[1], pattern=line[2], digest=digest,
            units=now.get(line, 0) + change[line],
        )
        for line, digest in keys.items()
    ]  # fmt: skip
    unique = ["project", "side", "question", "digest"]
    Pattern.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=["units"])
    _make_stale(project, {line[:2] for line in change})


def _change_marks(project: Project, change: Mapping[int, Sequence[tuple[str, Sequence]]]) -> None:
    """Add to the sums of each bucket; under the project's lock, too."""
    stored = MarkTally.objects.filter(project=project, bucket__in=change)
    sums = {(row.category, row.bucket): [row.sums] for row in stored}
    for bucket, lines in change.items():
        for category, more in lines:
            sums.setdefault((category, bucket), []).append(more)
    rows = [MarkTally(project=project, category=c, bucket=b, sums=merge(found)) for (c, b), found in sums.items()]
    unique = ["project", "category", "bucket"]
    MarkTally.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=["sums"])
    categories = {category for lines in change.values() for category, _ in lines}
    _make_stale(project, {(str(Side.PEOPLE), f"spans:{category}") for category in categories})


def _make_stale(project: Project, questions: set[tuple[str, str]]) -> None:
    rows = [Agreement(project=project, side=side, question=question) for side, question in sorted(questions)]
    unique = ["project", "side", "question"]
    Agreement.objects.bulk_create(rows, update_conflicts=True, unique_fields=unique, update_fields=["stale"])


# ---- Raters


def _settle_repeats(rows: Iterable[Judgement]) -> None:
    """A repeat is right when it says what the first look said."""
    for row in rows:
        own = {"task": row.task_id, "rater": row.rater_id, "rater_name": row.rater_name}
        first = Judgement.objects.counted().filter(**own).first()
        if first:
            same = (first.outcome, _groups(first)) == (row.outcome, _groups(row))
            Judgement.objects.filter(pk=row.pk).update(right=same)


def _groups(row: Judgement) -> list[list[int]]:
    return [sorted(group) for group in row.ranking]


def _count_raters(project: Project, fresh: Sequence[Judgement]) -> None:
    counted = [row for row in fresh if row.kind == AssignmentKind.NORMAL and not row.withdrawn_at]
    change = rater_sums(counted)
    known = RaterTally.objects.filter(project=project, who__in=[name for name, _ in change])
    rows = {(row.who, row.source): row for row in known}
    for (name, source), sums_of in change.items():
        row = rows.setdefault((name, source), RaterTally(project=project, who=name, source=source, sums={}))
        total = Counter(row.sums)
        total.update(sums_of)
        row.sums = {key: n for key, n in total.items() if n}
    fields = {"update_conflicts": True, "unique_fields": ["project", "who", "source"], "update_fields": ["sums"]}
    RaterTally.objects.bulk_create([rows[key] for key in change], **fields)


def rater_sums(rows: Sequence[Judgement]) -> dict[tuple[str, str], Counter]:
    """(who, source) → what these judgements add to the rater's sums, less what those they supersede had added."""
    lengths = _lengths({pk for row in rows for pk in row.shown_order})
    change: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for row in rows:
        own = change[who(row), row.source]
        own.update(_sums(row, lengths))
        if row.supersedes:
            own.subtract(_sums(row.supersedes, lengths, row))
    return change


def take_back(*, project: Project, rows: Iterable[Judgement]) -> None:
    """Nothing of these judgements, which are about to be withdrawn, stays in their raters' sums.

    A revision has taken the place of the one before once it was counted, so only the newest counted one is there. The
    caller holds the project's lock, and lets the tasks be counted again.
    """
    rows = [row for row in rows if row.tallied and row.kind == AssignmentKind.NORMAL]
    replaced = {row.supersedes_id for row in rows}
    counted = [row for row in rows if row.pk not in replaced]
    lengths = _lengths({pk for row in counted for pk in row.shown_order})
    known = {(row.who, row.source): row for row in RaterTally.objects.filter(project=project)}
    for row in counted:
        tally = known[who(row), row.source]
        left = Counter(tally.sums)
        left.subtract(_sums(row, lengths))
        tally.sums = {key: n for key, n in left.items() if n}
    RaterTally.objects.bulk_update([known[key] for key in {(who(row), row.source) for row in counted}], ["sums"])


def _lengths(ids: set[int]) -> dict[int, int]:
    return dict(Response.objects.filter(pk__in=ids).annotate(n=Length("text")).values_list("pk", "n"))


def _sums(row: Judgement, lengths: Mapping[int, int], newer: Judgement | None = None) -> Counter:
    """Of a superseded row, too, whose item and responses are those of the newer one."""
    turns = (newer or row).item.turns
    characters = sum(len(turn["content"]) for turn in turns) + sum(lengths[pk] for pk in row.shown_order)
    said = Said(row.shown_order, row.outcome, row.ranking, active_ms=row.active_ms)
    return sums(said, lengths, characters)
