"""Raters who work at the same time are not all shown the same task ahead."""

import pytest

from annotate.models import Task
from annotate.services.project import add_member
from annotate.services.queue import lease_next, peek
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def crew(project, person):
    make_tasks(project=project, items=[make_item(project, f"Q{n}?", "a", "b") for n in range(30)])
    crew = [person(f"rater-{n}") for n in range(10)]
    for user in crew:
        add_member(project=project, user=user, role="annotator")
    return crew


def test_most_raters_look_ahead_at_tasks_of_their_own(project, crew):
    assert len({peek(project=project, user=user).task_id for user in crew}) >= 6


def test_what_a_rater_sees_ahead_is_theirs_while_others_work(project, crew):
    seen = {user: peek(project=project, user=user).task_id for user in crew}
    given = {user: lease_next(project=project, user=user).task_id for user in crew}
    assert len(set(given.values())) == 10
    assert sum(seen[user] == given[user] for user in crew) >= 6


def test_a_higher_priority_goes_before_the_own_order(project, crew):
    urgent = Task.objects.order_by("-pk").first()
    Task.objects.filter(pk=urgent.pk).update(priority=1)
    assert {peek(project=project, user=user).task_id for user in crew} == {urgent.pk}


def test_nobody_overtakes_the_front_of_the_queue(project, crew):
    front = set(Task.objects.order_by("pk").values_list("pk", flat=True)[:20])
    assert {peek(project=project, user=user).task_id for user in crew} <= front
