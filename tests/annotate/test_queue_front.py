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
    make_tasks(project=project, items=[make_item(project, f"Q{n}?", f"a {n}", f"b {n}") for n in range(30)])
    crew = [person(f"rater-{n}") for n in range(10)]
    for user in crew:
        add_member(project=project, user=user, role="annotator")
    return crew


def test_most_raters_look_ahead_at_tasks_of_their_own(project, crew):
    assert len({peek(project=project, user=user).task_id for user in crew}) >= 6


def test_what_a_rater_sees_ahead_is_theirs_while_others_work(project, crew):
    seen = {user: peek(project=project, user=user) for user in crew}
    given = {user: lease_next(project=project, user=user, ahead=seen[user].shown_order) for user in crew}
    assert len({lease.task_id for lease in given.values()}) == 10
    assert sum(seen[user].task_id == given[user].task_id for user in crew) == len({a.task_id for a in seen.values()})


def test_who_has_seen_nothing_ahead_is_given_the_first(project, crew):
    assert [lease_next(project=project, user=user).task_id for user in crew[:2]] == list(
        Task.objects.order_by("pk").values_list("pk", flat=True)[:2]
    )


def test_what_was_seen_gives_way_to_a_higher_priority(project, crew):
    seen = peek(project=project, user=crew[0])
    urgent = Task.objects.exclude(pk=seen.task_id).last()
    Task.objects.filter(pk=urgent.pk).update(priority=1)
    assert lease_next(project=project, user=crew[0], ahead=seen.shown_order).task_id == urgent.pk


def test_responses_of_no_task_are_no_wish(project, crew):
    assert lease_next(project=project, user=crew[0], ahead=[1, 10**9]).task_id == Task.objects.earliest("pk").pk


def test_a_higher_priority_goes_before_the_own_order(project, crew):
    urgent = Task.objects.order_by("-pk").first()
    Task.objects.filter(pk=urgent.pk).update(priority=1)
    assert {peek(project=project, user=user).task_id for user in crew} == {urgent.pk}


def test_a_task_that_is_full_meanwhile_is_not_given(project, crew):
    seen = peek(project=project, user=crew[0])
    Task.objects.filter(pk=seen.task_id).update(open_slots=0)
    assert lease_next(project=project, user=crew[0], ahead=seen.shown_order).task_id != seen.task_id
