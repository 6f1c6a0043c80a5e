"""Server time of the next task, its page and a submit: 10,000 items on SQLite, a rater half way through them.

python -m tests.benchmarks.judging [--quick]

The queue is at its worst: overlap 2, so the 5,000 tasks the rater has answered are still open and passed by each time.
Requests go through the whole Django stack (session, CSRF off, middleware, templates) in this process.
"""

import json
import os
import re
import statistics
import sys
import tempfile
import time

ITEMS, DONE, TARGET_MS = 10_000, 5_000, 25


def seed():
    """The project and its rater, with half of the tasks answered."""
    from django.utils import timezone

    from annotate.models import Assignment, Item, Judgement, Response, Task, User
    from annotate.services.project import add_member, create_project
    from annotate.services.task import make_tasks

    project, user = create_project(slug="bench", name="Bench", overlap=2), User.objects.create_user("rater")
    add_member(project=project, user=user, role="annotator")
    text = "The **answer** is `x < y`, which follows from the table above.\n\n" * 8
    turns = [{"role": "user", "content": "A question about the table?"}]
    Item.objects.bulk_create(
        Item(project=project, key=str(n), turns=turns, prompt_sha256=f"{n:064}", split="train") for n in range(ITEMS)
    )
    items = list(Item.objects.all())
    Response.objects.bulk_create(
        Response(item=item, index=n, text=f"{text}{n}", sha256=f"{n:064}") for item in items for n in (0, 1)
    )
    make_tasks(project=project, items=items)
    now, half = timezone.now(), list(Task.objects.order_by("pk")[:DONE])
    common = {"state": "submitted", "leased_at": now, "expires_at": now, "submitted_at": now}
    shown = [[2 * n + 1, 2 * n + 2] for n in range(DONE)]
    Assignment.objects.bulk_create(
        Assignment(task=task, rater=user, shown_order=order, **common) for task, order in zip(half, shown, strict=True)
    )
    common = {"project": project, "rater": user, "outcome": "tie", "schema_version": 1, "texts_sha256": {}}
    Judgement.objects.bulk_create(
        Judgement(item_id=a.task.item_id, task=a.task, assignment=a, shown_order=a.shown_order,
                  idempotency_key=f"seed-{a.pk}", **common)
        for a in Assignment.objects.select_related("task")
    )  # fmt: skip
    Task.objects.filter(pk__lte=half[-1].pk).update(open_slots=1)
    return user


def timed(call, *arguments, **options):
    """The response and the milliseconds it took."""
    start = time.perf_counter()
    response = call(*arguments, **options)
    return response, (time.perf_counter() - start) * 1000


def measure(user, rounds):
    """Milliseconds of each request, by name."""
    from django.test import Client

    client, took = Client(SERVER_NAME="localhost"), {"next": [], "page": [], "submit": []}
    client.force_login(user)
    for _ in range(rounds):
        leased, ms = timed(client.get, "/p/bench/judge/")
        took["next"].append(ms)
        page, ms = timed(client.get, leased.url)
        took["page"].append(ms)
        data = json.loads(re.search(r'id="judge-data"[^>]*>(.*?)</script>', page.content.decode(), re.S)[1])
        body = {"answer": {"outcome": "tie", **data["fixed"]}, "key": data["key"], "active_ms": 1}
        stored, ms = timed(client.post, f"{leased.url}submit/", body, content_type="application/json")
        took["submit"].append(ms)
        assert stored.status_code == 200, stored.content
    return took


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    took = measure(seed(), rounds=40 if "--quick" in sys.argv else 300)
    for name, times in took.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        ours = round(statistics.median(times), 1)
        line = {"name": f"judging: {name} at {ITEMS:,} items, SQLite", "ours": ours, "unit": "ms median"}
        print(json.dumps(line | {"p95": round(p95, 1), "target": f"< {TARGET_MS}", "holds": ours < TARGET_MS}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/bench.sqlite3"
        os.environ |= {"VAR_DIR": folder, "DATABASE_URL": database, "LOG_LEVEL": "ERROR"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        main()
