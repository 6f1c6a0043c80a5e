"""Tasks, their slots, the answers to them and the ledger: what each says of the others."""

from collections import Counter
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import BigIntegerField, CharField, Count, Exists, F, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat, Substr

from annotate.models import Assignment, Event, GuidelineVersion, Judgement, Project, Reservation, Task
from annotate.models.project import count_of
from annotate.models.task import AssignmentState
from worker.upkeep.doctor.fault import Check, Fault, parts

ANSWERED = ("judgement.submitted", "judgement.revised")
SUBJECT = "judgement:"
LOCK = {"no_key": True}


# ---- Assignments and revisions


def _unanswered() -> Iterator[Fault]:
    newest = Judgement.objects.filter(assignment=OuterRef("pk"), superseded=False)
    rows = Assignment.objects.filter(~Exists(newest), state=AssignmentState.SUBMITTED)
    for pk in rows.values_list("pk", flat=True).iterator():
        yield Fault(f"assignment {pk}", "was submitted, and there is no answer to it")


def _answered() -> QuerySet[Assignment]:
    """Those with a current answer that do not say so."""
    current = Judgement.objects.current().filter(assignment=OuterRef("pk"))
    return Assignment.objects.filter(Exists(current)).exclude(state=AssignmentState.SUBMITTED)


def _unsubmitted() -> Iterator[Fault]:
    for pk, state in _answered().values_list("pk", "state").iterator():
        yield Fault(f"assignment {pk}", f"is {state}, and its answer is stored", pk)


@transaction.atomic
def _submit(keys: Sequence[int]) -> int:
    """As it is when the answer is stored; the slots are counted after this."""
    done = 0
    for part in parts(keys):
        list(Assignment.objects.select_for_update(**LOCK).filter(pk__in=part).order_by("pk"))
        for row in _answered().filter(pk__in=part):
            made = Judgement.objects.current().get(assignment=row).created_at
            changed = Assignment.objects.filter(pk=row.pk)
            done += changed.update(state=AssignmentState.SUBMITTED, submitted_at=made, draft={})
    return done


def _revisions() -> Iterator[Fault]:
    lost = Judgement.objects.filter(superseded=True, withdrawn_at=None, superseded_by=None)
    for pk in lost.values_list("pk", flat=True).iterator():
        yield Fault(f"judgement {pk}", "was superseded, and nothing stands in its place")
    wrong = Judgement.objects.exclude(supersedes=None).exclude(
        revision=F("supersedes__revision") + 1, task=F("supersedes__task")
    )
    for pk, old in wrong.values_list("pk", "supersedes").iterator():
        yield Fault(f"judgement {pk}", f"is not the next revision of judgement {old}, which it supersedes")
    for pk, newer in _both().values_list("pk", "superseded_by").iterator():
        yield Fault(f"judgement {pk}", f"counts, and so does judgement {newer}, which superseded it", pk)


def _both() -> QuerySet[Judgement]:
    return Judgement.objects.filter(superseded=False, superseded_by__isnull=False)


@transaction.atomic
def _set_aside(keys: Sequence[int]) -> int:
    return sum(Judgement.objects.filter(pk__in=_both().filter(pk__in=part).values("pk")).update(superseded=True)
               for part in parts(keys))  # fmt: skip


# ---- Slots


def _counted_slots() -> QuerySet[Task]:
    """Tasks with how many slots are `held`, and how many answers came without taking one: imported, or simulated."""
    held = Assignment.objects.filter(holds_slot=True, state__in=(AssignmentState.LEASED, AssignmentState.SUBMITTED))
    stored = Judgement.objects.current().filter(assignment=None)
    return Task.objects.annotate(held=count_of(held, "task"), stored=count_of(stored, "task"))


def _wrong_slots() -> QuerySet[Task]:
    free = F("slots") - F("held")
    return _counted_slots().filter(Q(open_slots__gt=free) | Q(open_slots__lt=free - F("stored")))


def _slots() -> Iterator[Fault]:
    rows = _wrong_slots().values_list("pk", "slots", "open_slots", "held", "stored")
    for pk, slots, open_slots, held, stored in rows.iterator():
        told = f"{slots} slots, {open_slots} open, {held} held" + (f", {stored} stored without one" if stored else "")
        yield Fault(f"task {pk}", told, pk)


@transaction.atomic
def _count_slots(keys: Sequence[int]) -> int:
    """Locks the tasks in the order in which leases are given back."""
    done = 0
    for part in parts(keys):
        list(Task.objects.select_for_update(**LOCK).filter(pk__in=part).order_by("pk"))
        for task in _wrong_slots().filter(pk__in=part):
            free = task.slots - task.held
            right = max(0, min(free, max(task.open_slots, free - task.stored)))
            done += Task.objects.filter(pk=task.pk).exclude(open_slots=right).update(open_slots=right)
    return done


def _lost_reservations() -> QuerySet[Task]:
    return Task.objects.filter(~Exists(Reservation.objects.filter(task=OuterRef("pk"))), reserved=True)


def _reservations() -> Iterator[Fault]:
    for pk in _lost_reservations().values_list("pk", flat=True).iterator():
        yield Fault(f"task {pk}", "is kept for named people, and names nobody", pk)


@transaction.atomic
def _free(keys: Sequence[int]) -> int:
    found = (_lost_reservations().filter(pk__in=part).values("pk") for part in parts(keys))
    return sum(Task.objects.filter(pk__in=rows).update(reserved=False) for rows in found)


# ---- Projects


def _numbers() -> Iterator[Fault]:
    schemas = Project.objects.annotate(n=Count("schema_versions"), last=Max("schema_versions__number"))
    for pk in schemas.exclude(n__gt=0, n=F("last")).values_list("pk", flat=True):
        yield Fault(f"project {pk}", "lacks a version of its schema")
    for project in Project.objects.all():
        newest = project.guideline_versions.first()
        if (project.guidelines_number, project.guidelines) != _guidelines(newest):
            yield Fault(f"project {project.pk}", "shows other guidelines than their newest version", project.pk)


def _guidelines(newest: GuidelineVersion | None) -> tuple[int, str]:
    return (newest.number, newest.body) if newest else (0, "")


@transaction.atomic
def _show_newest(keys: Sequence[int]) -> int:
    rows = Project.objects.select_for_update(**LOCK).filter(pk__in=keys).order_by("pk")
    for project in rows:
        project.guidelines_number, project.guidelines = _guidelines(project.guideline_versions.first())
        project.save(update_fields=["guidelines_number", "guidelines"])
    return len(rows)


# ---- The ledger


def _ledger() -> Iterator[Fault]:
    """What raters sent is one event each, what came in bulk is counted by events."""
    subject = Concat(Value(SUBJECT), Cast(OuterRef("pk"), CharField()))
    told = Event.objects.filter(project=OuterRef("project"), subject=subject, kind__in=ANSWERED)
    silent = Judgement.objects.filter(~Exists(told), assignment__isnull=False)
    for pk in silent.values_list("pk", flat=True).iterator():
        yield Fault(f"judgement {pk}", "is stored, and the ledger does not know it")
    number = Cast(Substr("subject", len(SUBJECT) + 1), BigIntegerField())
    named = Event.objects.filter(kind__in=ANSWERED).annotate(number=number)
    gone = named.filter(~Exists(Judgement.objects.filter(pk=OuterRef("number"))))
    bulk = _in_bulk()
    if gone.count() + sum(bulk.values()) != _erased():
        for pk, what in gone.values_list("pk", "subject").iterator():
            yield Fault(f"event {pk}", f"tells of {what}, which is not there")
        for project, missing in sorted(bulk.items()):
            yield Fault(f"project {project}", f"{missing} judgements fewer came in bulk than the ledger tells of")
    yield from _told_twice(named)


def _told_twice(named: QuerySet[Event]) -> Iterator[Fault]:
    twice = named.order_by().values("number").annotate(n=Count("pk")).filter(n__gt=1)
    for pk, n in twice.values_list("number", "n").iterator():
        yield Fault(f"judgement {pk}", f"is in the ledger {n} times")


def _erased() -> int:
    """Judgements that were removed with the person who made them: the ledger still tells of them."""
    acts = Event.objects.filter(kind__in=("person.erased", "rater.erased"))
    return sum(data.get("removed", 0) for data in acts.values_list("data", flat=True))


def _in_bulk() -> Counter[int]:
    """How many more the ledger tells of than there are, by project; others are not in it."""
    told: Counter[int] = Counter()
    for project, data in Event.objects.filter(kind="judgement.stored").values_list("project", "data").iterator():
        told[project] += data.get("judgements", 0)
    rows = Judgement.objects.order_by().filter(assignment=None).values_list("project").annotate(n=Count("pk"))
    stored = Counter(dict(rows))
    told.subtract(stored)
    return Counter({project: n for project, n in told.items() if n})


BY_HAND = "Nothing tells what it should be: compare with a backup, and ask who changed the database by hand."
CHECKS = (
    Check(
        "unanswered", "Somebody's answer is lost: the page said that it was kept.", BY_HAND, _unanswered
    ),
    Check(
        "unsubmitted",
        "A stored answer is shown as work to be done, and would be answered twice.",
        "Run manage.py doctor --repair.",
        _unsubmitted,
        _submit,
    ),
    Check("revisions", "An answer counts twice, or not at all.", BY_HAND, _revisions, _set_aside),
    Check(
        "slots",
        "Too many people are asked about a task, or too few: open must be slots − held.",
        "Run manage.py doctor --repair. What stays was given to more people than it has slots: raise the overlap.",
        _slots,
        _count_slots,
    ),
    Check(
        "reservations",
        "Nobody is served this task any more.",
        "Run manage.py doctor --repair: it is everybody's again.",
        _reservations,
        _free,
    ),
    Check(
        "numbers",
        "Raters work by another text or schema than the newest.",
        "Run manage.py doctor --repair for guidelines; a schema that is lost comes back with a backup.",
        _numbers,
        _show_newest,
    ),
    Check(
        "ledger", "The ledger of acts and the judgements differ: one of the two was changed.", BY_HAND, _ledger
    ),
)  # fmt: skip
