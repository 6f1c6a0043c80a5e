"""A big project in PostgreSQL within minutes: one row of each kind is made by the services, and copied by SQL."""

import io
import json
from collections.abc import Iterable

from django.db import connection, models

WORDS = ("the answer follows from the table above which names each year and its winner so that "
         "the claim in the second sentence is wrong while the first one holds ").split()  # fmt: skip
SLUG = "big"


def text_of(n: int, words: int = 120) -> str:
    return " ".join(WORDS[(n + k * k) % len(WORDS)] for k in range(words)) + "."


def copy(model: type[models.Model], like: int, source: str, **columns: str) -> None:
    """INSERT … SELECT the row `like` once for each row of the SQL `source`, with these columns given by SQL."""
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    values = ", ".join(columns.get(name, f'p."{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({quoted}) SELECT {values} FROM {table} p, {source} WHERE p.id = {like}")


def fill(tasks: int, judgements: int, raters: int) -> None:
    """`tasks` tasks of an item each, nine tenths of them full; at least as many judgements as asked, by all in turn.

    The tenth that is open has two judgements so far.
    """
    from annotate.models import Assignment, Event, Item, Judgement, Membership, Project, Response, Task, User

    _first_rows()
    full = tasks * 9 // 10
    each = -((2 * (tasks - full) - judgements) // full)
    Project.objects.update(overlap=each)
    item, task, user = Item.objects.get(), Task.objects.get(), User.objects.get(username="rater-0")
    first, second = Response.objects.order_by("pk").values_list("pk", flat=True)
    copy(User, user.pk, f"generate_series(1, {raters - 1}) n", username="'rater-' || n")
    people = list(User.objects.filter(username__startswith="rater-").order_by("pk").values_list("pk", flat=True))
    member = Membership.objects.get(user=user)
    copy(Membership, member.pk, f"unnest(ARRAY{people[1:]}) n", user_id="n")
    copy(Item, item.pk, f"generate_series(2, {tasks}) n", key="md5(n::text)", external_id="'item-' || n")
    _keep_in_step(Item, tasks)
    texts = "unnest(ARRAY['" + "','".join(text_of(n) for n in range(50)) + "']) WITH ORDINALITY AS t(body, nth)"
    made = f"generate_series(2, {tasks}) n JOIN {texts} ON nth = 1 + n % 50"
    for index, like in enumerate((first, second)):
        copy(Response, like, made, item_id="n", index=str(index), text=f"body || n || '-{index}'")
    state = f"CASE WHEN n <= {full} THEN 0 ELSE {each} - 2 END"
    copy(Task, task.pk, f"generate_series(2, {tasks}) n", item_id="n", key="md5(n::text)",
         slots=str(each), open_slots=state)  # fmt: skip
    Task.objects.filter(pk=task.pk).update(slots=each, open_slots=0)
    _link_responses()
    _judge(full, each, tasks, people)
    assert Assignment.objects.count() == Judgement.objects.count()
    assert Event.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _first_rows() -> None:
    from annotate.models import Role, User
    from annotate.services.item import import_items
    from annotate.services.judgement import shown_in, submit_judgement
    from annotate.services.project import add_member, create_project
    from annotate.services.queue import lease_next

    alice = User.objects.create_user("alice")
    project = create_project(slug=SLUG, name="Big", actor=alice)
    user = User.objects.create_user("rater-0")
    add_member(project=project, user=user, role=Role.ANNOTATOR)
    one = {"id": "item-1", "prompt": "Who won?", "responses": [text_of(1), text_of(2)]}
    import_items(project=project, file=io.BytesIO(json.dumps(one).encode()), format="jsonl")
    lease = lease_next(project=project, user=user)
    ranking = [[pk] for pk in lease.shown_order]
    answer = {"outcome": "ranking", "ranking": ranking, "strength": 2, "texts_sha256": shown_in(lease).sha256}
    submit_judgement(assignment=lease, user=user, answer=answer | {"schema_version": 1}, idempotency_key="first")


def _keep_in_step(model: type[models.Model], count: int) -> None:
    """Items and tasks are numbered 1 … count, which the SQL above relies on."""
    ends = model.objects.aggregate(first=models.Min("pk"), last=models.Max("pk"), n=models.Count("pk"))
    assert ends == {"first": 1, "last": count, "n": count}, ends


def _link_responses() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""INSERT INTO annotate_task_responses (task_id, response_id)
                          SELECT t.id, r.id FROM annotate_task t JOIN annotate_response r USING (item_id)
                          ON CONFLICT DO NOTHING""")


def _judge(full: int, each: int, tasks: int, people: list[int]) -> None:
    """Copies of the one assignment, judgement and event: rater k of task n is number (7 n + k) modulo all."""
    from annotate.models import Assignment, Event, Judgement

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # else the planner looks through all responses for each task
    one = Judgement.objects.get()
    who = f"(ARRAY{people})[1 + (7 * n + k) % {len(people)}]"
    ids = "(SELECT array_agg(id ORDER BY id) ids FROM annotate_response WHERE item_id = n)"
    pairs = f"""(SELECT n, k FROM generate_series(1, {tasks}) n,
                 generate_series(1, CASE WHEN n <= {full} THEN {each} ELSE 2 END) k WHERE (n, k) <> (1, 1)) pairs
                JOIN LATERAL {ids} r ON TRUE"""
    order = "to_jsonb(CASE WHEN (n + k) % 2 = 0 THEN ids ELSE ARRAY[ids[2], ids[1]] END)"
    copy(Assignment, one.assignment_id, pairs, task_id="n", rater_id=who, shown_order=order)
    source = f"""annotate_assignment a JOIN LATERAL {ids.replace(" n)", " a.task_id)")} r
                 ON a.id <> {one.assignment_id}"""
    ranking = """CASE WHEN a.id % 4 = 0 THEN jsonb_build_array(jsonb_build_array(ids[2]), jsonb_build_array(ids[1]))
                 ELSE jsonb_build_array(jsonb_build_array(ids[1]), jsonb_build_array(ids[2])) END"""
    copy(Judgement, one.pk, source, item_id="a.task_id", task_id="a.task_id", assignment_id="a.id",
         rater_id="a.rater_id", shown_order="a.shown_order", ranking=ranking, idempotency_key="'filled-' || a.id",
         created_at="now() - interval '90 days' * random()")  # fmt: skip
    event = Event.objects.get(kind="judgement.submitted")
    copy(Event, event.pk, "annotate_judgement j", subject="'judgement:' || j.id", actor_id="j.rater_id")


def sessions(names: Iterable[str]) -> list[str]:
    """Signed-in session ids of these people."""
    from django.test import Client

    from annotate.models import User

    found = []
    for user in User.objects.filter(username__in=names).order_by("pk"):
        browser = Client()
        browser.force_login(user)
        found.append(browser.cookies["sessionid"].value)
    return found
