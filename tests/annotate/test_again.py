"""Asking raters again: which task is taken, what is left alone, and the way back."""

import pytest
from django.core.exceptions import ValidationError

from annotate.models import Item, Role, Task
from annotate.models.task import AssignmentState
from annotate.services.again import FRONT, ask_again, last_asked, take_back, waiting
from annotate.services.lease import skip
from annotate.services.project import add_member
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item


@pytest.fixture
def item(project):
    found = make_item(project, "Where does the Oder end?", "In the Baltic Sea.", "In the North Sea.", "In the east.")
    make_tasks(project=project, items=[found])
    return found


@pytest.fixture
def first(item):
    return item.responses.first()


def close(project):
    """As if everybody who was wanted had judged."""
    project.tasks.update(open_slots=0)


def ask(project, *responses):
    return ask_again(project=project, responses={one.pk for one in responses}, why="liked by v1")


def test_an_open_task_is_put_in_front_with_its_reason(project, first):
    event, task = ask(project, first), project.tasks.get(priority=FRONT)
    assert (task.reason, task.open_slots) == ("asked again: liked by v1", task.slots)
    assert (event.kind, event.data["raised"], event.data["opened"]) == ("task.asked_again", 1, 0)


def test_a_complete_task_gets_one_more_slot(project, first):
    close(project)
    event, task = ask(project, first), project.tasks.get(priority=FRONT)
    assert (task.slots, task.open_slots) == (project.overlap + 1, 1)
    assert event.data["opened"] == 1


def test_a_response_without_a_task_is_given_one(project, item, first):
    Task.objects.all().delete()
    event, task = ask(project, first), project.tasks.get()
    assert (task.priority, task.slots, task.open_slots) == (FRONT, project.overlap, project.overlap)
    assert first in task.responses.all()
    assert task.responses.count() == 2
    assert event.data["made"] == 1


def test_two_responses_of_one_task_take_it_once(project, item):
    data = ask(project, *item.responses.all()[:2]).data
    assert (data["raised"], data["same"]) == (1, 1)


def test_what_was_sent_and_waits_is_not_sent_again(project, first):
    ask(project, first)
    data = ask(project, first).data
    assert (data["waiting"], data["tasks"]) == (1, [])


def test_a_higher_priority_stays(project, first):
    project.tasks.update(priority=7)
    ask(project, first)
    assert set(project.tasks.values_list("priority", flat=True)) == {7}


def test_held_out_prompts_are_left_alone(project, item, first):
    Item.objects.update(split="test")
    assert ask(project, first).data["held_out"] == 1
    assert not project.tasks.filter(priority=FRONT).exists()


def test_tasks_that_are_kept_or_ask_nobody_are_left_alone(project, item, first):
    project.tasks.filter(responses=first).update(reserved=True)
    assert ask(project, first).data["nobody"] == 1
    project.tasks.update(reserved=False, slots=0, open_slots=0)
    assert ask(project, first).data["nobody"] == 1


def test_a_task_that_everybody_had_is_passed_over(project, alice, bob, first):
    project.memberships.exclude(user__in=[alice, bob]).delete()
    for user in (alice, bob):
        skip(assignment=lease_next(project=project, user=user), user=user)
    had = set(project.tasks.filter(assignments__state=AssignmentState.SKIPPED))
    task = Task.objects.get(pk=ask(project, first).data["tasks"][0]["task"])
    assert len(had) == 1
    assert task not in had
    assert lease_next(project=project, user=bob).task == task


def test_the_rater_is_served_it_first_and_not_told_why(project, bob, client_of, item):
    last = item.responses.last()
    close(project)
    task = ask(project, last).data["tasks"][0]["task"]
    page = client_of(bob).get(f"/p/{project.slug}/next/", follow=True).content.decode()
    assert lease_next(project=project, user=bob).task_id == task
    assert "asked again" not in page
    assert "liked" not in page


def test_undo_puts_everything_back(project, item):
    close(project)
    first, second, third = item.responses.all()
    project.tasks.filter(responses=third).filter(responses=first).delete()
    project.tasks.filter(responses=third).filter(responses=second).delete()
    before = sorted(project.tasks.values_list("key", "slots", "open_slots", "priority", "reason"))
    event = ask(project, first, third)
    assert (event.data["opened"], event.data["made"]) == (1, 1)
    assert last_asked(project) == event
    assert take_back(event=event) == {"back": 2, "begun": 0}
    assert sorted(project.tasks.values_list("key", "slots", "open_slots", "priority", "reason")) == before
    assert last_asked(project) is None
    with pytest.raises(ValidationError, match="undone already"):
        take_back(event=event)


def test_undo_leaves_what_a_rater_has_begun(project, bob, first):
    close(project)
    event = ask(project, first)
    mine = lease_next(project=project, user=bob)
    assert take_back(event=event) == {"back": 0, "begun": 1}
    mine.task.refresh_from_db()
    assert (mine.task.slots, mine.task.open_slots, mine.task.priority) == (project.overlap + 1, 0, 0)


def test_what_waits_for_a_rater_is_told(project, item):
    first, second, _ = item.responses.all()
    close(project)
    assert waiting(project, [first.pk, second.pk]) == {}
    project.tasks.filter(responses=second).update(open_slots=1)
    ask(project, first)
    assert waiting(project, [first.pk])[first.pk] == "sent"
    assert waiting(project, [second.pk])[second.pk] in ("open", "sent")


def test_nothing_of_the_project_and_too_much_are_refused(project, alice, person):
    for chosen, told in ((set(), "Choose what"), ({999_999}, "Choose what"), (set(range(201)), "at most 200")):
        with pytest.raises(ValidationError, match=told):
            ask_again(project=project, responses=chosen, why="x")


def test_machines_are_not_counted_among_those_who_are_left(project, alice, first, person):
    project.memberships.exclude(user=alice).delete()
    robot = person("robot")
    type(robot).objects.filter(pk=robot.pk).update(is_machine=True)
    add_member(project=project, user=robot, role=Role.ANNOTATOR)
    project.tasks.exclude(responses=first).delete()
    skip(assignment=lease_next(project=project, user=alice), user=alice)
    skip(assignment=lease_next(project=project, user=alice), user=alice)
    assert ask(project, first).data["nobody"] == 1
