"""What stands hidden among a rater's tasks: ones whose answer is known, and their own ones in another order.

Whether the next task is such a one is drawn from a keyed hash of the project, the rater and the number of tasks
served so far; one that ran out is drawn again. So a reload, another tab and the page fetched ahead all draw alike, and
nobody can work it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils.crypto import salted_hmac

from annotate.models import Assignment, KnownAnswer, Project, Task, User
from annotate.models.task import AssignmentKind, AssignmentState, TaskKind
from annotate.services.quota import COUNTED
from annotate.services.task import task_key

GAP, WINDOW = 10, 60  # tasks that lie between a pair and its repeat at least, and the number of tasks looked back at


@dataclass(frozen=True)
class Choice:
    """What a rater is to be served, why, and with what probability; the order only where it is not free.

    `responses` are the task's, in the order of their ids, where they are known already.
    """

    task: Task
    kind: str = AssignmentKind.NORMAL
    reason: str = "queue"
    probability: float = 1.0
    shown_order: Sequence[int] = ()
    responses: Sequence[int] = ()


def hidden_choice(project: Project, user: User) -> Choice | None:
    """A gold task or a repeat, when the draw says so and there is one; never as the very first."""
    if not project.gold_share and not project.swap_share:
        return None
    served = Assignment.objects.filter(rater=user, task__project=project, kind__in=COUNTED)
    number = served.exclude(state=AssignmentState.EXPIRED).count()
    drawn = draw(f"{project.pk}:{user.pk}:{number}")
    if number == 0 or drawn >= project.gold_share + project.swap_share:
        return None
    return _gold(project, user) if drawn < project.gold_share else _repeat(project, user)


def draw(text: str) -> float:
    """Uniform in [0, 1), the same for the same text in one installation."""
    return int.from_bytes(salted_hmac("annotate.hidden", text, algorithm="sha256").digest()[:8]) / 2**64


def known_tasks(project: Project, kind: str) -> list[int]:
    """Ids of the tasks whose known answer is in use; from the short table, not from that of tasks."""
    known = KnownAnswer.objects.filter(active=True, task__project=project, task__kind=kind)
    return list(known.order_by("-task__priority", "task").values_list("task", flat=True))


def had_by(user: User, tasks: Sequence[int]) -> set[int]:
    """Those of the tasks that the person was served and did not lose again."""
    had = Assignment.objects.filter(rater=user, task__in=tasks).exclude(state=AssignmentState.EXPIRED)
    return set(had.values_list("task", flat=True))


def _gold(project: Project, user: User) -> Choice | None:
    tasks = known_tasks(project, TaskKind.GOLD)
    had = had_by(user, tasks) | _had_as_others(project, user, tasks)
    fresh = [pk for pk in tasks if pk not in had]
    if not fresh:
        return None
    first = min(fresh, key=lambda pk: draw(f"gold:{pk}:{user.pk}"))
    return Choice(Task.objects.get(pk=first), AssignmentKind.GOLD, "gold", project.gold_share / len(fresh))


def _had_as_others(project: Project, user: User, tasks: Sequence[int]) -> set[int]:
    """Those whose responses the person has judged together already, when the answer was not known yet."""
    link, of_task = Task.responses.through, {}
    for task, response in link.objects.filter(task__in=tasks).values_list("task", "response"):
        of_task.setdefault(task, []).append(response)
    keys = {task_key(responses): task for task, responses in of_task.items()}
    had = Assignment.objects.filter(rater=user, task__project=project, task__key__in=keys)
    return {keys[key] for key in had.values_list("task__key", flat=True)}


def _repeat(project: Project, user: User) -> Choice | None:
    """One of the rater's own pairs, judged a while ago and not repeated yet, with the order turned round.

    Nor one whose answers by others they have read since, as a reviewer.
    """
    own = Assignment.objects.filter(rater=user, task__project=project, kind__in=COUNTED)
    seen_again = (AssignmentKind.REPEAT, AssignmentKind.ADJUDICATION)
    again = Assignment.objects.filter(task=OuterRef("task"), rater=user, kind__in=seen_again)
    recent = list(own.annotate(again=Exists(again)).select_related("task").order_by("-pk")[:WINDOW])
    first_looks = [
        one
        for one in recent[min(GAP, max(1, len(recent) // 2)) :]
        if one.kind == AssignmentKind.NORMAL
        and one.state == AssignmentState.SUBMITTED
        and not one.again
        and len(one.shown_order) > 1
    ]
    if not first_looks:
        return None
    one = min(first_looks, key=lambda one: draw(f"repeat:{one.task_id}:{user.pk}"))
    share = project.swap_share / len(first_looks)
    return Choice(one.task, AssignmentKind.REPEAT, "repeat", share, one.shown_order[::-1])
