"""Versions promoted, archived and published while jobs are cancelled, on PostgreSQL: nobody waits in a circle."""

import json

import pytest

from tests.annotate.test_lease_race import in_process, outcome, settings_with

MAKE = """
import django
django.setup()
from annotate.services.project import create_project
from tests.inspector.making import make_version
project = create_project(slug="race", name="Race")
for number in (1, 2):
    make_version(project, number)
"""
# Every thread repeats one act; to be cancelled is no error, to be chosen as the victim of a deadlock is one.
ACTS = """
import json, threading
from django.db import connection
from worker.models import Job, Version
from worker.progress import Progress
from worker.services.claim import Cancelled, claim
from worker.services.job import cancel, launch
from worker.services.transform import transform_version
from worker.services.version import archive, promote

CLIP = [{"name": "clip", "low": 0.0}]
rows = Version.objects.select_related("project")
running, broken = [], []

def publish():
    job = claim(launch(project=rows.first().project, kind="train", params={}).pk)
    running[:] = [job]
    Progress(job).finish(lambda: {"number": transform_version(version=rows.get(number=1), transforms=CLIP).number})

def work(act):
    for turn in range(25):
        try:
            act()
        except Cancelled:
            pass
        except Exception as error:
            broken.append(repr(error))
    connection.close()

acts = [lambda n=n: promote(version=rows.get(number=n)) for n in (1, 2)]
acts += [lambda: archive(version=rows.get(number=2)), lambda: archive(version=rows.get(number=1))]
acts += [publish, lambda: [cancel(job=Job.objects.get(pk=one.pk)) for one in running]]
threads = [threading.Thread(target=work, args=[act]) for act in acts]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
numbers = sorted(Version.objects.values_list("number", flat=True))
promoted = Version.objects.filter(state="promoted").count()
print(json.dumps({"broken": broken, "numbers": numbers, "promoted": promoted}))
"""


@pytest.mark.service
def test_versions_at_once_on_postgresql(tmp_path, postgres):
    environment = settings_with({"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres})
    found = json.loads(outcome(in_process(environment, MAKE + ACTS)))
    assert found["broken"] == []
    assert found["numbers"] == list(range(1, len(found["numbers"]) + 1))
    assert found["promoted"] <= 1
