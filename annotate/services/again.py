"""Asking raters again about responses that somebody picked out: they come first, and why is told to nobody who judges.

Of each response one task is taken that somebody is left for, those open already first. An open one is put in front; one
whose slots are all taken gets one more; where there is none, one is made as the schema arranges it. Held-out prompts
are left alone: who asks again where a model errs, and nowhere else, bends what it is measured by. So are tasks that
are kept for named people, and those that ask nobody.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q

from annotate.access import RIGHTS
from annotate.models import Event, Project, Response, Task, User
from annotate.models.item import Split
from annotate.models.task import AssignmentState, TaskKind, TaskQuerySet
from annotate.services.event import record
from annotate.services.task import arranged, task_key

FRONT = 2  # before what a policy of selection put in front
ASKED, TAKEN_BACK = "task.asked_again", "task.asking_undone"
REASON = "asked again"  # what the reason of such a task begins with
MOST = 200  # responses at a time


@dataclass
class Asked:
    """What became of the responses; `tasks` is what an undo needs."""

    raised: int = 0  # were open, and come first now
    opened: int = 0  # had all slots taken, and have one more
    made: int = 0
    same: int = 0  # are shown by a task that was taken for another
    waiting: int = 0  # were sent before, and nobody has taken them yet
    held_out: int = 0
    nobody: int = 0  # everybody has judged them
    tasks: list[dict] = field(default_factory=list)


@transaction.atomic
def ask_again(*, project: Project, responses: Collection[int], why: str, actor: User | None = None) -> Event:
    """Ask for one more judgement of each response. The event's data are those of Asked, and why.

    Raises ValidationError without a response of the project, and for more than MOST.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if len(responses) > MOST:
        raise ValidationError(f"Send at most {MOST} responses at a time.")
    rows = Response.objects.filter(item__project=project, pk__in=responses).select_related("item")
    chosen = list(rows.order_by("item_id", "index"))
    if not chosen:
        raise ValidationError("Choose what to send.")
    found, able = Asked(), _able(project)
    for response in chosen:
        _ask(project, response, f"{REASON}: {why}"[:60], able, found)
    return record(kind=ASKED, subject=project, project=project, actor=actor, why=why, **asdict(found))


def _able(project: Project) -> list[int]:
    """Ids of the people who judge here."""
    roles = [role for role, rights in RIGHTS.items() if "judge" in rights]
    members = project.memberships.filter(role__in=roles, user__is_machine=False)
    return list(members.values_list("user", flat=True))


def _ask(project: Project, response: Response, reason: str, able: list[int], found: Asked) -> None:
    tasks = list(_askable(project, response, able))
    chosen = {one["task"] for one in found.tasks}
    task = next((task for task in tasks if task.open_slots), tasks[0] if tasks else None)
    if response.item.split == Split.TEST:
        found.held_out += 1
    elif any(task.pk in chosen for task in tasks):
        found.same += 1
    elif any(task.open_slots and task.reason.startswith(REASON) for task in tasks):
        found.waiting += 1
    elif task:
        found.tasks.append(_put_in_front(task, reason, found))
    elif made := _make(project, response, reason):
        found.made += 1
        found.tasks.append({"task": made.pk, "made": True})
    else:
        found.nobody += 1


def _askable(project: Project, response: Response, able: list[int]) -> TaskQuerySet:
    """Tasks that show the response and that some of these people have not had."""
    theirs = Q(assignments__rater__in=able) & ~Q(assignments__state=AssignmentState.EXPIRED)
    rows = project.tasks.filter(responses=response, kind=TaskKind.NORMAL, slots__gt=0, reserved=False)
    had = Count("assignments__rater", filter=theirs, distinct=True)
    return rows.annotate(had=had).filter(had__lt=len(able)).order_by("pk")


def _put_in_front(task: Task, reason: str, found: Asked) -> dict:
    """What it was before."""
    added = int(not task.open_slots)
    found.raised, found.opened = found.raised + 1 - added, found.opened + added
    slots = {"slots": F("slots") + added, "open_slots": F("open_slots") + added}
    Task.objects.filter(pk=task.pk).update(priority=max(task.priority, FRONT), reason=reason, **slots)
    return {"task": task.pk, "priority": task.priority, "reason": task.reason, "added": added}


def _make(project: Project, response: Response, reason: str) -> Task | None:
    """A task of what the schema shows together with the response; None where all of these are there."""
    ids = list(Response.objects.filter(item=response.item_id).order_by("index").values_list("pk", flat=True))
    keys = {task_key(shown): shown for shown in arranged(ids, project.schema.arrangement) if response.pk in shown}
    known = set(project.tasks.filter(key__in=keys).values_list("key", flat=True))
    key = next((key for key in keys if key not in known), None)
    if key is None:
        return None
    slots = {"slots": project.overlap, "open_slots": project.overlap}
    task = Task.objects.create(
        project=project, item_id=response.item_id, key=key, priority=FRONT, reason=reason, **slots
    )
    task.responses.set(keys[key])
    return task


# ---- Undo


@transaction.atomic
def take_back(*, event: Event, actor: User | None = None) -> dict[str, int]:
    """Undo one sending: {"back": tasks that wait as before, "begun": ones that somebody has taken up, and stay}.

    Raises ValidationError where it was undone.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=event.project_id)
    if event.kind != ASKED or is_undone(event):
        raise ValidationError("This was undone already.")
    done = [_restore(**one) for one in event.data["tasks"]]
    told = {"back": sum(done), "begun": len(done) - sum(done)}
    record(kind=TAKEN_BACK, subject=event, project=project, actor=actor, **told)
    return told


def _restore(*, task: int, priority: int = 0, reason: str = "import", added: int = 0, made: bool = False) -> bool:
    rows = Task.objects.filter(pk=task)
    if made and rows.filter(assignments=None, judgements=None).delete()[0]:
        return True
    free = not made
    if added:
        free = bool(rows.filter(open_slots__gt=0).update(slots=F("slots") - 1, open_slots=F("open_slots") - 1))
    rows.filter(reason__startswith=REASON).update(priority=priority, reason=reason)
    return free


# ---- Reading


def is_undone(event: Event) -> bool:
    return Event.objects.filter(project=event.project_id, kind=TAKEN_BACK, subject=f"event:{event.pk}").exists()


def last_asked(project: Project) -> Event | None:
    """The newest sending that was not undone."""
    undone = set(project.events.filter(kind=TAKEN_BACK).values_list("subject", flat=True))
    sent = project.events.filter(kind=ASKED).order_by("-pk")
    return next((event for event in sent.iterator(50) if f"event:{event.pk}" not in undone), None)


def waiting(project: Project, responses: Collection[int]) -> dict[int, str]:
    """Response → "sent" where it was sent and waits for a rater, "open" where another of its tasks does."""
    link = Task.responses.through.objects.filter(response__in=responses, task__project=project)
    rows = link.filter(task__kind=TaskKind.NORMAL, task__open_slots__gt=0).values_list("response", "task__reason")
    found: dict[int, str] = {}
    for response, reason in rows.order_by("pk"):
        found[response] = "sent" if reason.startswith(REASON) else found.get(response, "open")
    return found
