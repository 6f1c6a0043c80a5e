"""Plans that PostgreSQL makes for a new project's first judgement, and keeps: they fit also after thousands."""

import json
import re

import pytest

from tests.annotate.test_lease_race import MAKE, in_process, outcome, settings_with

PLANS = """
from django.db import transaction
from annotate.services import lease, queue
from annotate.views import judge
hot = {"first": queue.FIRST, "front": queue.FRONT, "from": queue.FROM, "seen": queue.SEEN, "others": queue.OTHERS,
       "mine": judge.MINE, "locked": lease.LOCK_ASSIGNMENT}
with transaction.atomic():
    print(json.dumps({name: prepared._queryset().explain() for name, prepared in hot.items()}))
"""
LOOK = re.compile(r"-> .* on annotate_(?:assignment|judgement) .*\n(.*)")
NARROW = re.compile(r" Index Cond: \((task_id|id|idempotency_key) = ")


@pytest.mark.service
def test_no_plan_reads_all_that_a_person_or_a_project_has(tmp_path, postgres):
    environment = settings_with({"VAR_DIR": str(tmp_path), "DATABASE_URL": postgres})
    plans = json.loads(outcome(in_process(environment, "import json" + MAKE + PLANS)))
    looks = {name: LOOK.findall(f"-> {plan}") for name, plan in plans.items()}
    assert all(looks.values()), plans
    assert not {name for name, found in looks.items() if not all(map(NARROW.search, found))}, plans
