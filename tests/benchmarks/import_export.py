"""Items in and judgements out: rows a minute, the first byte, and memory, on SQLite and PostgreSQL.

python -m tests.benchmarks.import_export [--quick | --import]

In: JSON lines, each a pair with a judgement and a span. Out: our own format and reward-model rows, with ten judgements
an item. Quick: 1,500 items in, 16,500 judgements out. Import: nothing goes out again.
"""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUICK, IN_ALONE = "--quick" in sys.argv, "--import" in sys.argv
ITEMS, EXPORTED, EACH = (1_500, 1_500, 10) if QUICK else (50_000, 100_000, 10)
TEXT = "The **answer** is `x < y`, which follows from the table above. " * 8
SERVER = os.environ.get("BENCH_POSTGRES", "postgresql://root@127.0.0.1:5432")


def row(number: int, judged: bool = True) -> str:
    span = {"response": 0, "start": 0, "end": 3, "quote": "The", "category": "wrong", "severity": 2}
    said = {
        "shown": [1, 0],
        "outcome": "ranking",
        "ranking": [[1], [0]],
        "strength": 2,
        "spans": [span],
        "rater": "dana",
    }
    answers = [f"{TEXT}{number}", f"{TEXT}{number}!"]
    item = {"id": f"q{number}", "prompt": f"Question {number}?", "responses": answers}
    return json.dumps(item | ({"judgements": [said]} if judged else {}))


def memory(process: int | str = "self") -> float:
    """MiB that a process holds for itself: pages of SQLite's file that the kernel maps in do not count."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process}/status").read_text())[1]) / 1024


def tell(name: str, ours: float, unit: str, target: str, holds: bool, **more: object) -> None:
    print(json.dumps({"name": name, "ours": round(ours, 2), "unit": unit, "target": target, "holds": holds, **more}))


def imported(engine: str, slug: str, judged: bool):
    """A project with the items, and how fast they came."""
    from annotate.services.item import import_items
    from annotate.services.project import create_project

    project = create_project(slug=slug, name="Bench")
    file = io.BytesIO("\n".join(row(number, judged) for number in range(ITEMS)).encode())
    start, cpu = time.perf_counter(), time.process_time()
    told = import_items(project=project, file=file, format="auto")
    pace = 60 * told["items"] / (time.perf_counter() - start)
    more = {"of_own_cpu": round(60 * told["items"] / (time.process_time() - cpu))}  # other work on the machine left out
    what = "judged pairs" if judged else "pairs"
    tell(f"import: {ITEMS:,} {what}, {engine}", pace, "items a minute", ">= 50,000", pace >= 50_000, **more)
    return project


def grown(project) -> int:
    """EXPORTED items with EACH judgements; returns how many judgements there are."""
    from annotate.models import Item, Judgement, Response
    from annotate.prepared import insert_all
    from annotate.services.task import make_tasks

    new = [Item(project=project, key=f"x{n}", turns=[{"role": "user", "content": f"X{n}?"}], prompt_sha256=f"{n:064}",
                split="train") for n in range(EXPORTED - ITEMS)]  # fmt: skip
    items = Item.objects.bulk_create(new, batch_size=2000)
    answers = (Response(item=item, index=n, text=f"{TEXT}{n}", sha256=f"{n:064}") for item in items for n in (0, 1))
    Response.objects.bulk_create(answers, batch_size=2000)
    make_tasks(project=project, items=items)
    tasks = project.tasks.order_by("pk").values_list("pk", "item_id")
    places = {}
    for item, pk in Response.objects.filter(item__project=project).order_by("pk").values_list("item_id", "pk"):
        places.setdefault(item, []).append(pk)
    common = {
        "project_id": project.pk,
        "outcome": "ranking",
        "schema_version": 1,
        "texts_sha256": {},
        "rater_name": "eli",
    }
    for chunk in (tasks[n : n + 500] for n in range(0, len(tasks), 500)):
        insert_all([
            Judgement(task_id=task, item_id=item, shown_order=places[item], ranking=[[pk] for pk in places[item]],
                      idempotency_key=f"b{task}-{n}", strength=1 + n % 3, **common)
            for task, item in chunk for n in range(EACH)
        ])  # fmt: skip
    return project.judgements.count()


def exported(project, engine: str, format: str, container: str, judgements: int) -> None:
    from annotate.services.exported import Export, export_chunks

    start = time.perf_counter()
    chunks = export_chunks(project=project, export=Export(format=format, container=container))
    size, first = len(next(chunks)), time.perf_counter() - start
    size += sum(len(chunk) for _, chunk in zip(range(5), chunks, strict=False))
    early = memory()  # of code and buffers that the first batches brought
    size += sum(map(len, chunks))
    took, growth = time.perf_counter() - start, memory() - early
    name = f"export: {judgements:,} judgements as {format} {container}, {engine}"
    tell(f"{name}: first rows", first, "s", "<= 2", first <= 2)
    tell(f"{name}: memory from there on", growth, "MiB", "<= 32", growth <= 32, mib=round(size / 2**20))
    tell(f"{name}: pace", judgements / took, "judgements a second", "", True)


def main(engine: str) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    imported(engine, "plain", judged=False)
    project = imported(engine, "bench", judged=True)
    if IN_ALONE:
        return
    judgements = grown(project)
    for format, container in (("touchstone", "jsonl"), ("reward", "jsonl"), ("reward", "parquet")):
        exported(project, engine, format, container, judgements)


def run(engine: str, database: str, folder: str) -> None:
    environment = os.environ | {"VAR_DIR": folder, "DATABASE_URL": database, "LOG_LEVEL": "ERROR"}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings", "BENCH_ENGINE": engine}
    subprocess.run([sys.executable, "-m", "tests.benchmarks.import_export", *sys.argv[1:]], env=environment, check=True)


def on_postgres(folder: str) -> None:
    """In a database of its own, dropped in the end."""
    import psycopg

    name = f"bench_import_{os.getpid()}"
    try:
        server = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        print(json.dumps({"name": "import, export on PostgreSQL", "skipped": str(error).splitlines()[0]}))
        return
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            run("PostgreSQL", f"{SERVER}/{name}", folder)
        finally:
            server.execute(f'DROP DATABASE "{name}"')


if __name__ == "__main__":
    if engine := os.environ.get("BENCH_ENGINE"):
        main(engine)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run("SQLite", f"sqlite:///{folder}/bench.sqlite3", folder)
            on_postgres(folder)
