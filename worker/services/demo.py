"""The demo project: the known world written into the database by the services that anybody's data goes through."""

import io
import secrets
from collections.abc import Iterable, Iterator

from django.db import transaction

from annotate.formats import jsonl
from annotate.formats.record import Record, make
from annotate.models import Project, Response, Role, User
from annotate.models.judgement import Source
from annotate.services.event import record
from annotate.services.item import import_items
from annotate.services.judgement import store_judgements
from annotate.services.project import add_member, create_project
from annotate.services.task import task_key
from annotate.world import GUIDELINES, SCHEMA, Answer, Question, Verdict, World, make_world, truth
from worker.services.pool import import_pool
from worker.services.training import start_training

SLUG = "demo"
OVERLAP = 2
ROLES = (Role.ANNOTATOR, Role.RESEARCHER, Role.ADMIN)


@transaction.atomic
def create_demo(world: World | None = None) -> dict:
    """The project with its people, items, judgements and pool, and its first training job in the queue.

    Returns {"created", "project", "accounts": {name: password of a new account}, "job"}. What is there is kept: then
    nothing is created and no account is returned, for a password is known only when it is made.
    """
    if Project.objects.filter(slug=SLUG).exists():
        return {"created": False, "project": SLUG, "accounts": {}, "job": None}
    world = world or make_world(overlap=OVERLAP)
    accounts = {role.value: _account(role) for role in ROLES}
    admin = accounts[Role.ADMIN][0]
    project = create_project(
        slug=SLUG, name="The known world", schema=SCHEMA, guidelines=GUIDELINES, overlap=OVERLAP, actor=admin
    )
    for role, (user, _) in accounts.items():
        add_member(project=project, user=user, role=role, actor=admin)
    write_world(project=project, world=world)
    job = start_training(project=project, actor=admin)
    passwords = {name: password for name, (_, password) in accounts.items() if password}
    return {"created": True, "project": SLUG, "accounts": passwords, "job": job.pk}


@transaction.atomic
def write_world(*, project: Project, world: World) -> None:
    """Items by the importer, the simulated raters' judgements, the pool, and in the ledger what was planted."""
    import_items(project=project, file=_lines(world.questions, "question"), format="jsonl")
    store_judgements(project=project, rows=_rows(project, world.verdicts), source=Source.SIMULATED)
    # The simulated raters are the project's raters, so what they judged is done; the rest is the visitor's.
    project.tasks.filter(judgements__isnull=False).update(open_slots=0)
    import_pool(project=project, name="best of 64", file=_lines(world.pool, "pool"))
    record(kind="world.written", subject=project, project=project, **truth())


def _account(role: Role) -> tuple[User, str]:
    """The account named after its role, with its password when it is new."""
    if user := User.objects.filter(username=role.value).first():
        return user, ""
    password, admin = secrets.token_urlsafe(9), role == Role.ADMIN
    user = User.objects.create_user(role.value, password=password, is_staff=admin, is_superuser=admin)
    record(kind="user.created", subject=user)
    return user, password


def _lines(questions: Iterable[Question], name: str) -> io.BytesIO:
    """A file of our own format."""
    records = (_record(f"{name}-{number:03}", question) for number, question in enumerate(questions, 1))
    return io.BytesIO("\n".join(map(jsonl.line, records)).encode())


def _record(name: str, question: Question) -> Record:
    return make(
        id=name,
        turns=[{"role": role, "content": content} for role, content in question.turns],
        context=[{"title": question.title, "text": question.table}],
        responses=[
            {"text": answer.text, "source": "known world", "metadata": {"gold": answer.gold, "flaws": _flaws(answer)}}
            for answer in question.answers
        ],
        metadata={"layout": question.layout},
    )


def _flaws(answer: Answer) -> list[dict]:
    return [{"start": start, "end": end, "category": category} for start, end, category in answer.flaws]


def _responses(project: Project) -> dict[tuple[int, int], Response]:
    """(question, place) → response."""
    found = Response.objects.filter(item__project=project).select_related("item")
    return {(int(r.item.external_id.removeprefix("question-")) - 1, r.index): r for r in found}


def _rows(project: Project, verdicts: Iterable[Verdict]) -> Iterator[dict]:
    """What the simulated raters said, as `store_judgements` takes it."""
    responses = _responses(project)
    tasks = dict(project.tasks.values_list("key", "pk"))
    for verdict in verdicts:
        shown = {place: responses[verdict.question, place] for place in verdict.shown}
        ids = [response.pk for response in shown.values()]
        task = tasks[task_key(ids)]
        own = {"task": task, "shown_order": ids, "idempotency_key": f"{verdict.rater}:{task}"}
        yield own | {"rater_name": verdict.rater, "active_ms": verdict.active_ms} | _answer(verdict, shown)


def _answer(verdict: Verdict, shown: dict[int, Response]) -> dict:
    """`shown`: place → response, left to right."""
    best = [[r.pk] for place, r in shown.items() if place == verdict.best]
    other = [[r.pk] for place, r in shown.items() if place != verdict.best]
    return {
        "outcome": verdict.outcome,
        "ranking": best + other if best else [],
        "strength": verdict.strength,
        "spans": [_span(shown[place], *mark) for place, marks in verdict.spans.items() for mark in marks],
        "omissions": [
            {"response": shown[place].pk, "note": f"Does not give the {label}."}
            for place, labels in verdict.missing.items()
            for label in labels
        ],
        "ratings": {shown[place].pk: values for place, values in verdict.ratings.items()},
        "checked": [r.pk for place, r in shown.items() if not verdict.spans[place] and not verdict.missing[place]],
        "rationale": verdict.rationale,
    }


def _span(response: Response, start: int, end: int, category: str) -> dict:
    quote = response.text[start:end]
    return {"response": response.pk, "start": start, "end": end, "quote": quote, "category": category}
