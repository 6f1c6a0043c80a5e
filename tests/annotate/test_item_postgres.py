"""An import on PostgreSQL: people judge meanwhile, and two imports of one file make one."""

import os

import pytest

from tests.annotate.test_lease_race import in_process, outcome

CODE = r"""
import io, json, threading
import django
django.setup()
from django.db import DataError, connection
from annotate.formats import read
from annotate.formats.jsonl import line
from annotate.models import Item, Judgement, Project, User
from annotate.prepared import insert_all
from annotate.services.exported import records
from annotate.services.item import import_items
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.project import create_project
from annotate.services.queue import lease_next

project = create_project(slug="both", name="Both")
user = User.objects.create_user("bob")
span = {"response": 0, "start": 0, "end": 4, "quote": "Café", "category": "new-one"}
label = {"shown": [1, 0], "outcome": "ranking", "ranking": [[0], [1]], "spans": [span]}
one = {"responses": ["Café 🙂", "b"], "metadata": {"n": 1}, "judgements": [label | {"ratings": {"0": {"helpful": 5}}}]}
row = lambda n: json.dumps(one | {"prompt": f"Q{n} \\ 'x'"})
rows = lambda *numbers: "\n".join(map(row, numbers)).encode()
import_items(project=project, file=io.BytesIO(rows(0)), format="jsonl")

def judge():
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
    lease = lease_next(project=project, user=user)
    answer = {"outcome": "tie", "texts_sha256": shown_in(lease).sha256, "schema_version": 2}
    judged.append(submit_judgement(assignment=lease, user=user, answer=answer, idempotency_key="k"))

def report(stage, done, total):
    if stage == "writing items" and not judged:
        thread = threading.Thread(target=judge)
        thread.start()
        thread.join()

judged = []
data = rows(*range(1, 30)).replace(b"new-one", b"newer")
import_items(project=project, file=io.BytesIO(data), format="jsonl", report=report)
assert len(judged) == 1

def bring_in():
    counts.append(import_items(project=project, file=io.BytesIO(rows(*range(100, 400))), format="jsonl")["items"])

counts = []
threads = [threading.Thread(target=bring_in) for _ in "ab"]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert sorted(counts) == [0, 300]
assert Judgement.objects.count() == 331
assert project.items.holding("q7 \\ 'X").count() == 1
assert project.items.holding("café").count() == 330

Judgement.objects.filter(rater=user).delete()
other = create_project(slug="other", name="Other")
out = [line(one) for _, one in records(project)]
import_items(project=other, file=io.BytesIO("\n".join(out).encode()), format="jsonl")
assert [line(one) for _, one in records(other)] == out

long = Item(project=other, key="k" * 65, turns=[], prompt_sha256="0" * 64, split="train")
try:
    insert_all([long])
    raise SystemExit("It was cut, and nothing said so.")
except DataError:
    assert not other.items.filter(key__startswith="kk").exists()
"""


@pytest.mark.service
def test_an_import_leaves_room_for_others(tmp_path, postgres):
    environment = {"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres, "DJANGO_SETTINGS_MODULE": "config.settings"}
    outcome(in_process(os.environ | {"LOG_LEVEL": "ERROR"} | environment, CODE))
