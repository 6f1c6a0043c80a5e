"""Judgements: one answer is one row with its spans, in one transaction; a correction is a new revision."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotate.models import Assignment, Item, Judgement, Project, Response, SchemaVersion, Span, Task, User
from annotate.models.judgement import Source
from annotate.models.task import AssignmentKind, AssignmentState
from annotate.prepared import Prepared, PreparedUpdate, insert, insert_all
from annotate.services.answer import Answer, Shown, check_answer, read_answer
from annotate.services.event import record
from annotate.services.flag import flag_task
from annotate.services.known import is_told, right_of
from annotate.services.lease import Conflict, lock_rater, locked, regain
from annotate.services.queue import Queue
from annotate.services.review import settle

STORED = Prepared(
    lambda project, key: Judgement.objects.filter(project=project, idempotency_key=key), project=int, key=str
)
FINISH = PreparedUpdate(
    lambda pk, now, revision: (
        Assignment.objects.filter(pk=pk),
        {"state": AssignmentState.SUBMITTED, "submitted_at": now, "draft": {}, "draft_revision": revision},
    ),
    pk=int,
    now=datetime,
    revision=int,
)
RESPONSES = Prepared(lambda item: Response.objects.filter(item=item), item=int)


@transaction.atomic
def submit_judgement(
    *,
    assignment: Assignment,
    user: User,
    answer: dict,
    idempotency_key: str,
    active_ms: int = 0,
    revision: int | None = None,
    flag: str = "",
) -> Judgement:
    """Store the answer once: the same key again returns the same row.

    `revision` is that of the newest draft the sender has seen; `flag` is a note to the reviewers.

    Raises ValidationError naming the field, and Conflict when the slot went to somebody else meanwhile or the task
    was answered already; nothing is stored then.
    """
    return _submit(assignment, user, answer, idempotency_key, active_ms, revision, flag)


@transaction.atomic
def submit_and_lease(
    *,
    queue: Queue,
    ahead: Sequence[int],
    assignment: Assignment,
    answer: dict,
    idempotency_key: str,
    active_ms: int = 0,
    revision: int | None = None,
) -> Assignment | None:
    """Store the answer as `submit_judgement` does, and lease what comes next in the same transaction: the rater is
    locked once, and the disk is waited for once. Only of an assignment that is leased, so that one task is taken."""
    _submit(assignment, queue.user, answer, idempotency_key, active_ms, revision, flag="")
    return queue.hand_out(ahead)


def _submit(
    assignment: Assignment, user: User, answer: dict, key: str, active_ms: int, revision: int | None, flag: str
) -> Judgement:
    _check_key(key)
    lock_rater(assignment.rater_id)
    mine = locked(assignment, key)
    if mine.key_used:
        return _stored(mine, key)
    if mine.state == AssignmentState.SUBMITTED:
        raise Conflict("You have answered this task already, in another tab perhaps. Reload to change that answer.")
    _refuse_stale(mine, revision)
    judgement, clean = _build(mine, user, answer, key, active_ms)
    if mine.state != AssignmentState.LEASED and not regain(mine, timezone.now()):
        raise Conflict("Your time on this task ran out and others have answered it. Your work is kept here.")
    _save(judgement, clean)
    _finish(mine)
    _settle(judgement)
    if flag.strip():
        flag_task(assignment=mine, user=user, note=flag)
    record(kind="judgement.submitted", subject=judgement, project=judgement.project, actor=user)
    return judgement


@transaction.atomic
def revise(
    *,
    judgement: Judgement,
    user: User,
    answer: dict,
    idempotency_key: str,
    active_ms: int = 0,
    revision: int | None = None,
    flag: str = "",
) -> Judgement:
    """A new revision that supersedes the judgement; the old row stays. Raises as `submit_judgement` does."""
    _check_key(idempotency_key)
    mine = locked(judgement.assignment)
    if stored := _stored(mine, idempotency_key):
        return stored
    _refuse_stale(mine, revision)
    # The old one is set aside first: only one judgement of an assignment may be current.
    if not Judgement.objects.current().filter(pk=judgement.pk).update(superseded=True):
        raise Conflict("This answer was changed elsewhere meanwhile. Reload to see the newest.")
    newer, clean = _build(mine, user, answer, idempotency_key, active_ms)
    newer.revision, newer.supersedes, newer.weight = judgement.revision + 1, judgement, judgement.weight
    if is_told(newer.project, mine):  # who has been told the answer earns nothing by giving it
        newer.right = judgement.right
    _save(newer, clean)
    _finish(mine)
    _settle(newer)
    if flag.strip():
        flag_task(assignment=mine, user=user, note=flag)
    record(kind="judgement.revised", subject=newer, project=newer.project, actor=user, old=judgement.pk)
    return newer


def _refuse_stale(assignment: Assignment, revision: int | None) -> None:
    if revision is not None and revision != assignment.draft_revision:
        raise Conflict("Newer work on this task was saved from another tab or device.")


def _settle(judgement: Judgement) -> None:
    if judgement.kind == AssignmentKind.ADJUDICATION:
        settle(judgement=judgement)


def shown_in(assignment: Assignment) -> Shown:
    """The texts of the assignment's task in the order shown, with their hashes."""
    return shown_of(assignment.task.item, responses_in(assignment))


def responses_in(assignment: Assignment) -> list[Response]:
    """The task's responses in the order in which this rater sees them."""
    found = {response.pk: response for response in RESPONSES(item=assignment.task.item_id)}
    return [found[pk] for pk in assignment.shown_order]


def shown_of(item: Item, responses: Sequence[Response]) -> Shown:
    """What a rater has before them who sees these responses to the item."""
    return Shown(
        {r.pk: r.text for r in responses},
        {"prompt": item.prompt_sha256, **{str(r.pk): r.sha256 for r in responses}},
        {r.pk: len(r.steps) for r in responses},
        [turn["role"] for turn in item.turns],
    )


def _check_key(key: str) -> None:
    if not key or len(key) > 80:
        raise ValidationError({"idempotency_key": "A key of 1 to 80 characters is needed."})


def _stored(assignment: Assignment, key: str) -> Judgement | None:
    stored = STORED.first(project=assignment.task.project_id, key=key)
    if stored and stored.assignment_id != assignment.pk:
        raise ValidationError({"idempotency_key": "This key belongs to another answer."})
    return stored


def _build(assignment: Assignment, user: User, raw: dict, key: str, active_ms: int) -> tuple[Judgement, Answer]:
    answer, task = read_answer(raw), assignment.task
    version = task.project.schema_numbered(answer.schema_version)
    if version is None:
        raise ValidationError({"schema_version": f"There is no schema {answer.schema_version} in this project."})
    answer = check_answer(answer, shown_in(assignment), version.schema)
    judgement = Judgement(
        project=task.project,
        item=task.item,
        task=task,
        assignment=assignment,
        rater=user,
        shown_order=assignment.shown_order,
        kind=assignment.kind,
        source=source_of(assignment, user),
        served=f"{task.reason}, {assignment.reason}",
        probability=task.probability * assignment.probability,
        guidelines_number=task.project.guidelines_number,
        active_ms=min(max(active_ms, 0), 2**31 - 1),
        idempotency_key=key,
        right=right_of(assignment, answer.model_dump(mode="json"), version.schema),
        **_columns(answer),
    )
    return judgement, answer


def source_of(assignment: Assignment, user: User) -> str:
    """Who judged: a model by token, a reviewer who decided, or a person."""
    if user.is_machine:
        return Source.MACHINE
    return Source.ADJUDICATED if assignment.kind == AssignmentKind.ADJUDICATION else Source.HUMAN


def _columns(answer: Answer) -> dict:
    """The answer as columns of a judgement; keys of JSON objects are strings."""
    return answer.model_dump(mode="json", exclude={"spans"})


def _save(judgement: Judgement, answer: Answer) -> None:
    insert(judgement)
    insert_all(_spans(judgement, answer))


def _spans(judgement: Judgement, answer: Answer) -> list[Span]:
    marks = (mark.model_dump() for mark in answer.spans)
    return [Span(judgement=judgement, response_id=mark.pop("response"), **mark) for mark in marks]


def _finish(assignment: Assignment) -> None:
    """The draft has become an answer; its revision moves on, so that a stale tab cannot bring it back."""
    FINISH(pk=assignment.pk, now=timezone.now(), revision=assignment.draft_revision + 1)


# ---- In bulk: judgements that came with a file, or from simulated raters


@transaction.atomic
def store_judgements(*, project: Project, rows: Iterable[dict], source: str) -> int:
    """Store judgements that nobody leased; keys that are there already are passed by. Returns how many are new.

    A row holds task (or its id), shown_order, idempotency_key, the fields of an answer (spans with quotes that are
    checked), and if wanted some of OWN_COLUMNS: a source of its own, whose it is, how it came about.
    They take no slots: K people are still asked.
    Raises ValidationError naming the row's key and the field.
    """
    version, rows, stored = project.schema_version, iter(rows), 0
    while chunk := list(itertools.islice(rows, 500)):
        stored += _store_chunk(project, version, chunk, Source(source))
    if stored:
        record(kind="judgement.stored", subject=project, project=project, judgements=stored, source=source)
    return stored


OWN_COLUMNS = ("rater", "rater_name", "weight", "active_ms", "source", "kind", "right", "served", "probability")
OWN = {"task", "item", "shown_order", "idempotency_key", *OWN_COLUMNS}


def _store_chunk(project: Project, version: SchemaVersion, chunk: list[dict], source: str) -> int:
    by_key = {row["idempotency_key"]: row for row in chunk}
    known = Judgement.objects.filter(project=project, idempotency_key__in=by_key)
    for key in known.values_list("idempotency_key", flat=True):
        del by_key[key]
    tasks = _rows(Task.objects.filter(project=project), map(_task_id, by_key.values()), *OF_TASK)
    responses = _rows(Response.objects, (pk for row in by_key.values() for pk in row["shown_order"]), *OF_RESPONSE)
    schema, pairs = version.schema, []
    for row in by_key.values():
        task = tasks[_task_id(row)]
        shown = [responses[pk] for pk in row["shown_order"]]
        answer = _stored_answer(row, task, shown, schema)
        own = {name: row[name] for name in OWN_COLUMNS if name in row}
        columns = {**_columns(answer), "schema_version": version.number, "shown_order": row["shown_order"]}
        own.setdefault("source", source)
        judgement = Judgement(project_id=project.pk, item_id=task.item_id, task_id=task.pk, **own, **columns)
        judgement.idempotency_key = row["idempotency_key"]
        pairs.append((judgement, answer))
    insert_all([judgement for judgement, _ in pairs])
    insert_all([span for pair in pairs for span in _spans(*pair)])
    return len(pairs)


# Plain rows, not models: of a file's judgements there may be a million.
OF_TASK = ("pk", "item_id", "item__prompt_sha256", "item__turns")
OF_RESPONSE = ("pk", "item_id", "text", "sha256", "steps")


def _rows(among: QuerySet, ids: Iterable[int], *columns: str) -> dict[int, tuple]:
    return {one.pk: one for one in among.filter(pk__in=set(ids)).values_list(*columns, named=True)}


def _task_id(row: dict) -> int:
    return getattr(row["task"], "pk", row["task"])


def _stored_answer(row: dict, task: tuple, responses: list[tuple], schema: object) -> Answer:
    hashes = {"prompt": task.item__prompt_sha256, **{str(r.pk): r.sha256 for r in responses}}
    try:
        if any(response.item_id != task.item_id for response in responses):
            raise ValidationError({"shown_order": "A response of another item."})
        answer = read_answer({name: value for name, value in row.items() if name not in OWN})
        texts, steps = {r.pk: r.text for r in responses}, {r.pk: len(r.steps) for r in responses}
        shown = Shown(texts, hashes, steps, [turn["role"] for turn in task.item__turns])
        answer = check_answer(answer, shown, schema, complete=False)
    except ValidationError as error:
        raise ValidationError({f"{row['idempotency_key']}: {k}": v for k, v in error.message_dict.items()}) from None
    return answer.model_copy(update={"texts_sha256": hashes})
