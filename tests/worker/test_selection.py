"""Tasks put in front: which, why, with what probability; and who is left alone. No torch here."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import Item, Task
from annotate.services.project import create_project
from annotate.services.queue import lease_next
from annotate.services.task import assign_tasks, make_tasks, set_priority
from tests.inspector.making import make_item, make_version
from worker.models import Job, SelectionPolicy
from worker.services import selection
from worker.services.selection import Pick, eligible, in_front, order, put_in_front, stop, tick, wants_order
from worker.services.version import promote


@pytest.fixture
def tasks(project):
    for n in range(10):
        make_item(project, f"question {n}", "one", "two")
    make_tasks(project=project, items=Item.objects.all())
    return list(project.tasks.order_by("pk"))


@pytest.fixture
def policy(project, tasks):
    selection.set_policy(project=project, strategy="margin", random_share=0.5, batch=4)
    return SelectionPolicy.objects.select_related("project").get()


def front(project, *chosen, version=None):
    return put_in_front(project=project, picks=[Pick(t.pk, "margin", -0.1, 0.5) for t in chosen], version=version)


def test_what_is_in_front_is_served_first_and_told_why(project, tasks, bob):
    assert front(project, tasks[7], tasks[3]) == 2
    lease = lease_next(project=project, user=bob)
    assert lease.task == tasks[3]
    assert (lease.task.reason, lease.task.probability) == ("margin", 0.5)


def test_the_probability_goes_with_that_of_being_made(project):
    item = make_item(project, "four", "a", "b", "c", "d")
    make_tasks(project=project, items=[item], pairs=3)
    task = project.tasks.first()
    assert task.probability == 0.5
    front(project, task)
    task.refresh_from_db()
    assert task.probability == 0.25
    stop(project=project)
    task.refresh_from_db()
    assert (task.probability, task.priority, task.reason) == (0.5, 0, "import")


def test_nothing_is_touched_that_somebody_holds_keeps_or_placed(project, tasks, alice, bob):
    project.overlap = 2
    Task.objects.update(slots=2, open_slots=2)
    held = lease_next(project=project, user=bob).task
    assign_tasks(project=project, tasks=[tasks[1]], users=[bob])
    set_priority(project=project, tasks=[tasks[2]], priority=5)
    set_priority(project=project, tasks=[tasks[3]], priority=1)
    set_priority(project=project, tasks=[tasks[4]], priority=-5)
    assert set(eligible(project)) == set(tasks[5:])
    before = list(project.tasks.filter(pk__lte=tasks[4].pk).order_by("pk").values())
    assert front(project, *tasks) == 5
    assert list(project.tasks.filter(pk__lte=tasks[4].pk).order_by("pk").values()) == before
    assert held == tasks[0]


def test_what_was_taken_up_stays_when_the_rest_is_ordered_anew(project, tasks, bob):
    front(project, tasks[5], tasks[6])
    held = lease_next(project=project, user=bob).task
    front(project, tasks[8])
    assert list(in_front(project)) == [tasks[8]]
    held.refresh_from_db()
    assert (held.pk, held.priority, held.reason) == (tasks[5].pk, 1, "margin")
    tasks[6].refresh_from_db()
    assert (tasks[6].priority, tasks[6].reason, tasks[6].probability) == (0, "import", 1.0)


def test_one_order_at_a_time(policy, project):
    make_version(project)
    order(policy=policy)
    with pytest.raises(ValidationError, match="being ordered already"):
        order(policy=policy)
    assert Job.objects.filter(kind="select").count() == 1


@pytest.mark.parametrize(("strategy", "words"), [("margin", "no version yet"), ("information", "no version yet")])
def test_a_model_is_needed(policy, strategy, words):
    policy.strategy = strategy
    with pytest.raises(ValidationError, match=words):
        order(policy=policy)


def test_disagreement_needs_members(policy, project):
    version = make_version(project)
    policy.strategy = "disagreement"
    assert "no members" in selection.problem(policy)
    version.heads += ["member:0", "member:1"]
    version.save()
    assert selection.problem(policy) == ""


def test_the_promoted_version_is_asked_before_a_newer_one(project):
    old, new = make_version(project, 1), make_version(project, 2)
    assert selection.model_for(project) == new
    promote(version=old)
    assert selection.model_for(project) == old


def done(job, state="done"):
    Job.objects.filter(pk=job.pk).update(state=state)


def test_it_orders_again_by_itself_when_a_version_is_new_and_the_policy_says_so(policy, project, tasks):
    assert tick() == 0  # nobody has ordered yet
    first = make_version(project, 1)
    front(project, *tasks[:4], version=first)
    assert tick() == 0
    make_version(project, 2)
    assert tick() == 0
    SelectionPolicy.objects.update(each_version=True)
    assert tick() == 1
    assert tick() == 0  # it is under way
    assert Job.objects.get(kind="select").params["version"] == project.versions.first().pk


def test_it_orders_again_when_little_is_left_in_front(policy, project, tasks):
    policy.batch = 4
    front(project, tasks[0], version=make_version(project))
    assert wants_order(policy) == ""
    Task.objects.filter(pk=tasks[0].pk).update(open_slots=0)
    assert wants_order(policy) == "little is left in front"
    Task.objects.update(open_slots=0)
    assert wants_order(policy) == ""


def test_what_failed_is_not_tried_again_in_the_same_way(policy, project):
    make_version(project, 1)
    done(order(policy=policy), "failed")
    assert wants_order(policy) == ""
    make_version(project, 2)
    assert wants_order(policy) == "little is left in front"


def test_stopping_puts_everything_back(policy, project, tasks):
    front(project, *tasks[:4], version=make_version(project))
    assert stop(project=project) == 4
    assert not in_front(project).exists()
    assert tick() == 0


def test_a_project_that_cannot_be_ordered_does_not_stop_the_others(project, alice, monkeypatch):
    broken = create_project(slug="broken", name="Broken", actor=alice)
    for one in (broken, project):
        selection.set_policy(project=one, strategy="random", ordered_at=timezone.now())
    monkeypatch.setattr(selection, "wants_order", lambda policy: "new" if policy.project == project else 1 / 0)
    assert selection.tick() == 1
