"""Export, erasure and sweeps on PostgreSQL, whose JSON and locks are not SQLite's."""

import os

import pytest

from tests.annotate.test_lease_race import in_process, outcome

CODE = r"""
import zipfile
from datetime import timedelta
import django
django.setup()
from django.utils import timezone
from django.conf import settings
from annotate.models import Event, Judgement, User
from annotate.services.project import create_project
from annotate.services.tally import count_waiting
from annotate.services.withdraw import restore, withdraw_rater
from tests.inspector.making import judge, make_item
from worker.services.erase import erase_name, erase_person, preview
from worker.services.person import export_person
from worker.services.retention import DAYS, sweep

root = User.objects.create_superuser("root")
zoe, max_ = User.objects.create_user("zoë"), User.objects.create_user("max")
project = create_project(slug="pg", name="PG", actor=root)
for n in range(3):
    item = make_item(project, f"why {n}?", "a", "b")
    for who in ({"rater": zoe}, {"rater": max_}, {"rater_name": "zoë"}, {"rater_name": "Dana"}):
        judge(item, [], outcome="tie", rationale="so" * n, **who)
count_waiting(seconds=60)
event = withdraw_rater(project=project, who="name:zoë", why="x", actor=root)
assert "account.json" in zipfile.ZipFile(export_person(zoe, own=False)).namelist()
found = preview(zoe)
assert (found.judgements, found.imported) == (3, 3)
assert found.texts == {"judgements with reasons, corrections or answers": 2}
assert erase_person(user=zoe, remove=False, actor=root) == 0
event = Event.objects.get(pk=event.pk)
assert "zo" not in str(event.data).replace("who", "").replace("zone", "")
assert restore(event=event, actor=root) == 3
assert erase_person(user=zoe, remove=True, actor=root) == 6
assert erase_person(user=max_, remove=True, actor=root) == 3
assert erase_name(project=project, name="Dana", remove=True, actor=root) == 3
assert not Judgement.objects.exists()
assert not project.tallies.exists()
settings.RETENTION = dict.fromkeys(DAYS, 1)
assert set(sweep(now=timezone.now() + timedelta(days=2), dry=True)) == set(DAYS)
assert set(sweep(now=timezone.now() + timedelta(days=2))) == set(DAYS)
"""


@pytest.mark.service
def test_a_person_is_handed_over_and_erased(tmp_path, postgres):
    environment = {"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres, "DJANGO_SETTINGS_MODULE": "config.settings"}
    outcome(in_process(os.environ | {"LOG_LEVEL": "ERROR"} | environment, CODE))
