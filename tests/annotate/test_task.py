"""Making tasks and leasing their slots."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotate.models import Assignment, Event, Item, Response, Task
from annotate.models.task import AssignmentState
from annotate.services.draft import save_draft
from annotate.services.lease import Conflict, expire_leases, heartbeat, release, skip
from annotate.services.member import remove_member
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks(project):
    """Three tasks, one for each of three items with two responses, in the order of the queue."""
    items = [make_item(project, f"Question {n}?", "Yes.", "No.") for n in range(3)]
    assert make_tasks(project=project, items=items) == 3
    return list(Task.objects.served_first())


def slots(task):
    return Task.objects.get(pk=task.pk).open_slots


# ---- Making


def test_every_pair_of_responses_is_a_task_once(project):
    item = make_item(project, "Which?", "a", "b", "c", "d")
    assert make_tasks(project=project, items=[item]) == 6
    assert make_tasks(project=project, items=Item.objects.all()) == 0
    pairs = {frozenset(task.responses.values_list("text", flat=True)) for task in Task.objects.all()}
    assert len(pairs) == 6
    assert all(len(pair) == 2 for pair in pairs)


def test_some_pairs_are_drawn_with_a_known_probability(project):
    item = make_item(project, "Which?", "a", "b", "c", "d")
    assert make_tasks(project=project, items=[item], pairs=2, reason="sample") == 2
    assert make_tasks(project=project, items=[item], pairs=2) == 0
    assert {(t.probability, t.reason) for t in Task.objects.all()} == {(2 / 6, "sample")}


def test_a_task_wants_as_many_judgements_as_the_project(project):
    project.overlap = 3
    project.save()
    make_tasks(project=project, items=[make_item(project, "Which?", "a", "b")])
    assert Task.objects.values_list("slots", "open_slots").get() == (3, 3)


def test_items_of_another_project_make_no_tasks(project, tasks, alice):
    from annotate.services.project import create_project

    other = create_project(slug="other", name="Other", actor=alice)
    assert make_tasks(project=other, items=Item.objects.filter(project=project)) == 0


# ---- Leasing


def test_the_queue_goes_by_priority_and_a_reload_gets_the_same_task(project, tasks, bob):
    Task.objects.filter(pk=tasks[2].pk).update(priority=5)
    first = lease_next(project=project, user=bob)
    assert first.task_id == tasks[2].pk
    assert lease_next(project=project, user=bob).pk == first.pk
    assert slots(tasks[2]) == 0
    assert Event.objects.filter(kind="task.leased").count() == 1


def test_two_raters_never_share_a_slot_and_the_queue_ends(project, tasks, alice, bob):
    a, b = lease_next(project=project, user=alice), lease_next(project=project, user=bob)
    assert a.task_id != b.task_id
    skip(assignment=a, user=alice)
    third = lease_next(project=project, user=alice)
    assert third.task_id == tasks[2].pk
    skip(assignment=third, user=alice)
    assert lease_next(project=project, user=alice) is None


def test_a_paused_project_serves_nothing(project, tasks, bob):
    project.paused = True
    assert lease_next(project=project, user=bob) is None


def test_an_expired_lease_comes_back_to_somebody_else(project, tasks, alice, bob):
    Task.objects.exclude(pk=tasks[0].pk).delete()
    now = timezone.now()
    old = lease_next(project=project, user=bob, now=now)
    assert lease_next(project=project, user=alice, now=now) is None
    later = now + timedelta(minutes=project.lease_minutes, seconds=1)
    assert lease_next(project=project, user=alice, now=later).task_id == old.task_id
    old.refresh_from_db()
    assert old.state == AssignmentState.EXPIRED
    assert not heartbeat(assignment=old)
    assert slots(tasks[0]) == 0


def test_leases_of_one_task_that_run_out_together_give_back_a_slot_each(project, alice, bob):
    project.overlap = 2
    project.save()
    make_tasks(project=project, items=[make_item(project, "Which?", "a", "b")])
    held = [lease_next(project=project, user=user) for user in (alice, bob)]
    assert slots(held[0].task) == 0
    assert expire_leases(now=timezone.now() + timedelta(days=1)) == 2
    assert slots(held[0].task) == 2


def test_an_expired_lease_keeps_its_order_and_draft_for_the_same_rater(project, tasks, bob):
    now = timezone.now()
    old = lease_next(project=project, user=bob, now=now)
    save_draft(assignment=old, draft={"rationale": "half"}, revision=0)
    again = lease_next(project=project, user=bob, now=now + timedelta(days=1))
    assert (again.pk, again.shown_order, again.draft) == (old.pk, old.shown_order, {"rationale": "half"})
    assert slots(tasks[0]) == 0


def test_a_heartbeat_extends_the_lease_and_takes_up_a_free_slot_again(project, tasks, bob):
    now = timezone.now()
    lease = lease_next(project=project, user=bob, now=now)
    assert heartbeat(assignment=lease, now=now + timedelta(minutes=20))
    assert expire_leases(now=now + timedelta(minutes=40)) == 0
    assert expire_leases(now=now + timedelta(minutes=60)) == 1
    assert slots(tasks[0]) == 1
    assert heartbeat(assignment=lease)
    assert slots(tasks[0]) == 0


def test_a_skipped_task_is_free_for_others_and_gone_for_the_rater(project, tasks, alice, bob):
    lease = lease_next(project=project, user=bob)
    skip(assignment=lease, user=bob, reason="Not my subject.")
    skip(assignment=lease, user=bob, reason="Not my subject.")
    assert slots(tasks[0]) == 1
    assert lease_next(project=project, user=bob).task_id == tasks[1].pk
    assert lease_next(project=project, user=alice).task_id == tasks[0].pk
    assert Assignment.objects.get(pk=lease.pk).skip_reason == "Not my subject."


def test_a_released_task_is_free_at_once_and_may_come_back(project, tasks, bob):
    lease = lease_next(project=project, user=bob)
    release(assignment=lease)
    release(assignment=lease)
    assert slots(tasks[0]) == 1
    assert lease_next(project=project, user=bob).pk == lease.pk


def test_what_a_removed_member_held_is_free_at_once(project, tasks, alice, bob):
    lease_next(project=project, user=bob)
    remove_member(member=project.memberships.get(user=bob), actor=alice)
    assert slots(tasks[0]) == 1


def test_a_stale_draft_is_refused(project, tasks, bob):
    lease = lease_next(project=project, user=bob)
    assert save_draft(assignment=lease, draft={"rationale": "one"}, revision=0) == 1
    with pytest.raises(Conflict):
        save_draft(assignment=lease, draft={"rationale": "stale"}, revision=0)
    with pytest.raises(Conflict):
        save_draft(assignment=lease, draft={"rationale": "never sent before"}, revision=2)
    lease.refresh_from_db()
    assert lease.draft == {"rationale": "one"}


# ---- The order shown


def test_the_raters_of_a_task_see_both_orders_equally(project, person):
    project.overlap = 4
    project.save()
    make_tasks(project=project, items=[make_item(project, "Which?", "a", "b")])
    orders = [lease_next(project=project, user=person(name)).shown_order for name in "rstu"]
    ids = sorted(Response.objects.values_list("pk", flat=True))
    assert sorted(orders) == [ids, ids, ids[::-1], ids[::-1]]


def test_the_balance_of_a_task_goes_before_that_of_a_rater(project, alice, bob):
    project.overlap = 2
    project.save()
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a", "b") for n in range(2)])
    first, second = Task.objects.served_first()
    ids = sorted(second.responses.values_list("pk", flat=True))
    seen = sorted(first.responses.values_list("pk", flat=True))
    done = {"state": AssignmentState.SUBMITTED, "leased_at": timezone.now(), "expires_at": timezone.now()}
    # Alice saw the second task one way round; Bob has seen the first task the other way round.
    Assignment.objects.create(task=second, rater=alice, shown_order=ids, **done)
    Assignment.objects.create(task=first, rater=bob, shown_order=seen[::-1], **done)
    assert lease_next(project=project, user=bob).shown_order == ids[::-1]


def test_a_rater_sees_both_orders_equally_over_tasks(project, bob):
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a", "b") for n in range(30)])
    first_left = 0
    for _ in range(30):
        lease = lease_next(project=project, user=bob)
        first_left += lease.shown_order == sorted(lease.shown_order)
        Assignment.objects.filter(pk=lease.pk).update(state=AssignmentState.SUBMITTED)
    assert first_left == 15
