"""Who has read what others answered is not asked the same: not again, not later, and not in a tab left open."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotate.models import Assignment, Event, Role, Task
from annotate.services.judgement import store_judgements
from annotate.services.lease import Conflict, heartbeat, skip, unskip
from annotate.services.project import add_member
from annotate.services.queue import lease_next, peek
from annotate.services.review import begin_decision
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(project, bob):
    """Bob has answered it, and another answer is wanted."""
    make_tasks(project=project, items=[make_item(project, "Which one?", "alpha text", "beta text")])
    task = project.tasks.get()
    order = sorted(response.pk for response in task.responses.all())
    row = {"task": task, "shown_order": order, "outcome": "tie", "rater": bob, "rationale": "bob-words"}
    store_judgements(project=project, rows=[row | {"idempotency_key": "bob"}], source="human")
    return task


@pytest.fixture
def dora(project, person):
    user = person("dora")
    add_member(project=project, user=user, role=Role.REVIEWER)
    return user


@pytest.fixture
def reviewer(client_of, dora):
    return client_of(dora)


def read(browser, task, page="review"):
    number = task.pk if page == "review" else task.item_id
    assert "bob-words" in browser.get(f"/p/answers/{page}/{number}/").content.decode()


@pytest.mark.parametrize("page", ["review", "items"])
def test_a_task_whose_answers_were_read_is_served_to_others_alone(project, dora, alice, reviewer, task, page):
    assert peek(project=project, user=dora).task == task
    for _ in range(2):
        read(reviewer, task, page)
    assert peek(project=project, user=dora) is None
    assert lease_next(project=project, user=dora) is None
    html = reviewer.get("/p/answers/judge/").content.decode()
    assert "answered, skipped or read in review by you" in html
    assert "Take back" not in html
    assert lease_next(project=project, user=alice).task == task


def test_a_task_that_nobody_has_answered_tells_nothing(project, dora, reviewer, task):
    task.judgements.all().delete()
    assert reviewer.get(f"/p/answers/review/{task.pk}/").status_code == 200
    assert reviewer.get(f"/p/answers/items/{task.item_id}/").status_code == 200
    assert lease_next(project=project, user=dora).task == task


def test_a_lease_that_ran_out_is_not_taken_up_again(project, dora, reviewer, task):
    mine = lease_next(project=project, user=dora)
    Assignment.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    read(reviewer, task)
    assert not heartbeat(assignment=mine)
    assert Task.objects.get().open_slots == task.slots


def test_a_skipped_task_is_not_taken_back(project, dora, reviewer, task):
    mine = lease_next(project=project, user=dora)
    skip(assignment=mine, user=dora)
    read(reviewer, task)
    with pytest.raises(Conflict):
        unskip(assignment=mine, user=dora)


def test_the_order_it_was_read_in_counts_as_served_to_nobody(project, alice, dora, reviewer, task):
    order = lease_next(project=project, user=alice).shown_order
    Assignment.objects.all().delete()
    Task.objects.update(open_slots=1)
    read(reviewer, task)
    Assignment.objects.update(shown_order=order)
    assert lease_next(project=project, user=alice).shown_order == order


def test_a_decision_can_still_be_begun_and_is_on_record_once(dora, reviewer, task):
    read(reviewer, task)
    for _ in range(2):
        begun = begin_decision(task=task, user=dora)
        read(reviewer, task)
    assert (begun.state, begun.reason) == ("leased", "case")
    assert Assignment.objects.get() == begun
    assert Event.objects.filter(kind="case.opened").count() == 1
