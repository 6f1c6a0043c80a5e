"""What a rater is served, why, and why nothing: hidden gold and repeats, kept tasks, quotas, fetching ahead."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import Assignment, Case, Event, Task
from annotate.models.task import AssignmentState
from annotate.services import hidden, queue
from annotate.services.flag import flag_task
from annotate.services.hidden import draw
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.lease import Conflict, expire_leases, heartbeat, release, shorten_leases, skip, unskip
from annotate.services.member import remove_member
from annotate.services.queue import lease_next, peek, why_nothing
from annotate.services.task import assign_tasks, make_tasks, unassign_tasks
from tests.annotate.making import make_item, make_known

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _even(monkeypatch):
    """Draws that are spread evenly, and the same wherever the test runs."""
    monkeypatch.setattr(hidden, "draw", lambda text: int(text.rpartition(":")[2]) * 0.37 % 1)


def fill(project, count):
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a", "b") for n in range(count)])


def answer(lease):
    said = {"outcome": "tie", "texts_sha256": dict(shown_in(lease).sha256), "schema_version": 1}
    return submit_judgement(assignment=lease, user=lease.rater, answer=said, idempotency_key=str(lease.pk))


def work(project, user, count=1000):
    """Answer until nothing is left, or so many; the assignments in their order."""
    done = []
    while len(done) < count and (lease := lease_next(project=project, user=user)):
        answer(lease)
        done.append(lease)
    return done


def change(project, **values):
    type(project).objects.filter(pk=project.pk).update(**values)
    project.refresh_from_db()


def slots():
    return list(Task.objects.order_by("pk").values_list("open_slots", flat=True))


# ---- Gold


def test_each_gold_task_is_served_once_among_the_others_and_never_first(project, bob):
    fill(project, 30)
    gold = {make_known(project, f"Gold {n}?").task_id for n in range(3)}
    change(project, gold_share=0.5)
    done = work(project, bob)
    served = [lease.task_id for lease in done if lease.kind == "gold"]
    assert (sorted(served), len(done)) == (sorted(gold), 33)
    assert done[0].kind == "normal"
    assert {(lease.holds_slot, lease.reason) for lease in done if lease.kind == "gold"} == {(False, "gold")}
    assert [lease.probability for lease in done if lease.kind == "gold"] == [0.5 / 3, 0.5 / 2, 0.5]


def test_without_a_share_no_gold_is_served(project, bob):
    fill(project, 5)
    make_known(project, "Gold?")
    assert {lease.kind for lease in work(project, bob)} == {"normal"}


def test_a_gold_task_is_not_one_that_the_rater_has_judged_already(project, bob):
    fill(project, 12)
    first = work(project, bob, 1)[0].task
    make_known(project, "", item=first.item, best="a", taken_from=first)
    change(project, gold_share=0.5)
    assert {lease.kind for lease in work(project, bob)} == {"normal"}


def test_a_gold_task_that_ran_out_or_was_skipped_gives_back_no_slot(project, bob, alice):
    fill(project, 20)
    make_known(project, "Gold?")
    change(project, gold_share=0.5)
    lease = next(one for one in iter(lambda: step(project, bob), None) if one.kind == "gold")
    before = slots()
    expire_leases(now=timezone.now() + timedelta(days=1))
    assert heartbeat(assignment=lease)
    release(assignment=lease)
    assert lease_next(project=project, user=bob).pk == lease.pk
    skip(assignment=lease, user=bob)
    assert slots() == before


def step(project, user):
    """The lease, if it is gold; otherwise it is answered first."""
    lease = lease_next(project=project, user=user)
    if lease and lease.kind == "normal":
        answer(lease)
    return lease


def test_the_share_served_is_that_of_the_project():
    drawn = [draw(f"1:2:{n}") < 0.1 for n in range(4000)]
    assert 0.085 < sum(drawn) / 4000 < 0.115
    assert drawn == [draw(f"1:2:{n}") < 0.1 for n in range(4000)]


# ---- Repeats


def test_a_pair_comes_back_once_with_the_order_turned_round(project, bob):
    fill(project, 40)
    change(project, swap_share=0.5)
    done = work(project, bob)
    repeats = [lease for lease in done if lease.kind == "repeat"]
    place = {(lease.task_id, lease.kind): n for n, lease in enumerate(done)}
    assert 8 < len(repeats) == len({lease.task_id for lease in repeats})
    for lease in repeats:
        first = done[place[lease.task_id, "normal"]]
        assert lease.shown_order == first.shown_order[::-1]
        assert place[lease.task_id, "repeat"] - place[lease.task_id, "normal"] >= min(
            10, place[lease.task_id, "repeat"] // 2
        )
    assert {(lease.holds_slot, lease.reason) for lease in repeats} == {(False, "repeat")}
    assert (len(done) - len(repeats), set(slots())) == (40, {0})


def test_one_response_alone_is_not_repeated(project, bob):
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a") for n in range(20)])
    change(project, swap_share=0.5)
    assert {lease.kind for lease in served(project, bob)} == {"normal"}


def served(project, user):
    done = []
    while lease := lease_next(project=project, user=user):
        Assignment.objects.filter(pk=lease.pk).update(state=AssignmentState.SUBMITTED)
        done.append(lease)
    return done


# ---- Kept for named people


def test_a_kept_task_is_served_to_its_people_first_and_to_nobody_else(project, alice, bob):
    fill(project, 2)
    last = Task.objects.last()
    assert assign_tasks(project=project, tasks=[last], users=[bob], actor=alice) == 1
    assert [lease.task_id for lease in work(project, alice)] == [Task.objects.first().pk]
    assert why_nothing(project, alice) == "reserved"
    lease = lease_next(project=project, user=bob)
    assert (lease.task_id, lease.reason, lease.holds_slot) == (last.pk, "reserved", True)


def test_a_task_that_is_kept_no_longer_is_everybodys(project, alice, bob):
    fill(project, 1)
    assign_tasks(project=project, tasks=Task.objects.all(), users=[alice, bob], actor=alice)
    assert unassign_tasks(project=project, tasks=Task.objects.all(), users=[alice], actor=alice) == 0
    assert lease_next(project=project, user=alice) is None
    assert unassign_tasks(project=project, tasks=Task.objects.all(), actor=alice) == 1
    assert lease_next(project=project, user=alice)


def test_tasks_are_kept_for_those_only_who_may_judge_here(project, charlie, alice, person):
    from annotate.services.project import add_member

    fill(project, 1)
    dora = person("dora")
    add_member(project=project, user=dora, role="researcher")
    for user in (charlie, dora):
        with pytest.raises(ValidationError, match=user.username):
            assign_tasks(project=project, tasks=Task.objects.all(), users=[alice, user], actor=alice)
    assert not Task.objects.filter(reserved=True).exists()


def test_nothing_stays_kept_for_somebody_who_has_left(project, alice, bob):
    fill(project, 1)
    assign_tasks(project=project, tasks=Task.objects.all(), users=[bob], actor=alice)
    remove_member(member=project.memberships.get(user=bob), actor=alice)
    assert lease_next(project=project, user=alice)


# ---- Quotas


def test_a_quota_counts_what_was_answered_whatever_its_kind(project, bob):
    fill(project, 30)
    make_known(project, "Gold?")
    change(project, quota=12, gold_share=0.5)
    assert len(work(project, bob)) == 12
    assert why_nothing(project, bob) == "whole"


def test_the_quota_of_a_member_goes_before_that_of_the_project(project, bob):
    fill(project, 5)
    change(project, quota=1)
    project.memberships.filter(user=bob).update(quota=3)
    assert len(work(project, bob)) == 3


def test_a_daily_quota_is_free_again_the_next_day(project, bob):
    fill(project, 5)
    change(project, daily_quota=2)
    assert len(work(project, bob)) == 2
    assert why_nothing(project, bob) == "today"
    assert lease_next(project=project, user=bob, now=timezone.now() + timedelta(days=1))


def test_a_changed_answer_counts_once(project, bob):
    from annotate.services.judgement import revise

    fill(project, 3)
    change(project, quota=2)
    first = answer(lease_next(project=project, user=bob))
    said = {"outcome": "both_bad", "texts_sha256": first.texts_sha256, "schema_version": 1}
    revise(judgement=first, user=bob, answer=said, idempotency_key="again")
    assert len(work(project, bob)) == 1


def test_a_task_that_ran_out_cannot_be_taken_up_over_the_quota(project, bob):
    fill(project, 2)
    change(project, quota=1)
    old = lease_next(project=project, user=bob)
    skip(assignment=old, user=bob)
    answer(lease_next(project=project, user=bob))
    assert not heartbeat(assignment=old)
    with pytest.raises(Conflict):
        answer(old)
    with pytest.raises(Conflict):
        unskip(assignment=old, user=bob)


# ---- Skipping, taking back, flagging


def test_a_skipped_task_is_taken_back_and_what_was_on_the_desk_returns(project, bob):
    fill(project, 2)
    first = lease_next(project=project, user=bob)
    skip(assignment=first, user=bob)
    second = lease_next(project=project, user=bob)
    unskip(assignment=first, user=bob)
    assert lease_next(project=project, user=bob).pk == first.pk
    assert slots() == [0, 1]
    answer(first)
    assert lease_next(project=project, user=bob).pk == second.pk


def test_a_skipped_task_that_others_have_filled_is_not_taken_back(project, alice, bob):
    fill(project, 1)
    mine = lease_next(project=project, user=bob)
    skip(assignment=mine, user=bob)
    answer(lease_next(project=project, user=alice))
    with pytest.raises(Conflict):
        unskip(assignment=mine, user=bob)
    assert (slots(), Assignment.objects.get(pk=mine.pk).state) == ([0], "skipped")


def test_a_flag_makes_a_case_once_and_opens_it_again(project, alice, bob):
    fill(project, 1)
    lease = lease_next(project=project, user=bob)
    with pytest.raises(ValidationError, match="Say what"):
        flag_task(assignment=lease, user=bob, note=" \n")
    for _ in "ab":
        flag_task(assignment=lease, user=bob, note="Both are the same.")
    assert Event.objects.filter(kind="task.flagged").count() == 1
    Case.objects.update(state="dismissed", closed_by=alice, closed_at=timezone.now())
    flag_task(assignment=lease, user=bob, note="Look again.")
    assert Case.objects.values_list("state", "note", "flagged_by", "closed_by").get() == (
        "open", "Look again.\nBoth are the same.", bob.pk, None,
    )  # fmt: skip


# ---- The reason served, and ahead of time


def test_the_reason_served_is_kept(project, bob):
    fill(project, 2)
    Task.objects.filter(pk=Task.objects.last().pk).update(priority=3)
    assert [lease.reason for lease in work(project, bob)] == ["priority", "queue"]


def test_the_last_task_of_others_is_waited_for(project, alice, bob):
    fill(project, 1)
    lease = lease_next(project=project, user=alice)
    assert why_nothing(project, bob) == "others"
    answer(lease)
    assert why_nothing(project, bob) == "done"


def test_what_comes_back_is_told_also_beside_what_the_rater_has_had(project, alice, bob):
    """Who hears "you have judged all you can" goes home, and what runs out on another's desk is judged by nobody."""
    fill(project, 2)
    skip(assignment=lease_next(project=project, user=bob), user=bob)
    last = lease_next(project=project, user=bob)
    release(assignment=last)
    assert [why_nothing(project, bob), last.task.open_slots] == ["others", 1]  # free this moment
    answer(lease_next(project=project, user=alice))
    held = lease_next(project=project, user=alice)
    assert (held.task_id, why_nothing(project, bob)) == (last.task_id, "others")


def test_what_is_on_the_desks_of_others_and_was_had_is_not_waited_for(project, alice, bob):
    fill(project, 1)
    skip(assignment=lease_next(project=project, user=bob), user=bob)
    lease_next(project=project, user=alice)
    assert why_nothing(project, bob) == "mine"


def test_why_nothing_comes_is_one_look(project, bob, django_assert_num_queries):
    """What goes from a desk back into the queue between two looks would be seen in neither."""
    fill(project, 1)
    with django_assert_num_queries(2):  # of the rater, and of the tasks
        why_nothing(project, bob)


def test_a_look_ahead_goes_on_from_where_the_rater_is(project, bob):
    """From anywhere else it passes what they had since, which are thousands on a long day."""
    fill(project, 6)
    lease, had = lease_next(project=project, user=bob), []
    while seen := peek(project=project, user=bob):
        had.append(seen.task_id)
        answer(lease)
        lease = lease_next(project=project, user=bob, ahead=seen.shown_order)
    assert had == list(Task.objects.order_by("pk").values_list("pk", flat=True))[1:]


def test_a_look_ahead_begins_anew_where_the_front_is_far_away(project, bob, monkeypatch):
    """Else what lies at the front would wait until all the rest is judged."""
    monkeypatch.setattr(queue, "SPREADS", (2, 1))
    fill(project, 6)
    first, *_, last = Task.objects.order_by("pk")
    lease = lease_next(project=project, user=bob, ahead=list(last.responses.values_list("pk", flat=True)))
    assert lease.task_id == last.pk
    assert peek(project=project, user=bob).task_id - first.pk in (0, 1)


def test_what_is_fetched_ahead_is_what_comes(project, bob):
    fill(project, 25)
    for n in range(3):
        make_known(project, f"Gold {n}?")
    change(project, gold_share=0.3, swap_share=0.3)
    kinds, ahead = set(), peek(project=project, user=bob)
    while lease := lease_next(project=project, user=bob, ahead=ahead.shown_order if ahead else ()):
        assert (ahead.task_id, ahead.shown_order, ahead.kind) == (lease.task_id, lease.shown_order, lease.kind)
        ahead = peek(project=project, user=bob)
        kinds.add(lease.kind)
        answer(lease)
    assert (kinds, ahead) == ({"normal", "gold", "repeat"}, None)


def test_fetching_ahead_writes_nothing_and_takes_no_slot(project, bob):
    fill(project, 2)
    before = slots(), Assignment.objects.count(), Event.objects.count()
    assert peek(project=project, user=bob).pk is None
    assert (slots(), Assignment.objects.count(), Event.objects.count()) == before


@pytest.mark.parametrize("values", [{"paused": True}, {"quota": 1}, {"daily_quota": 1}])
def test_nothing_is_fetched_ahead_that_will_not_come(project, bob, values):
    fill(project, 2)
    lease_next(project=project, user=bob)
    change(project, **values)
    assert peek(project=project, user=bob) is None


def test_nothing_is_fetched_past_the_last_question_of_the_qualification(project, bob):
    fill(project, 1)
    make_known(project, "Exam?", kind="qualification")
    lease_next(project=project, user=bob)
    assert peek(project=project, user=bob) is None


def test_a_clock_that_was_set_back_leaves_no_lease_for_hours(project, bob, alice):
    """Leases are cut to the time of a new one; nobody loses a task, and one as it should be stays as it is."""
    fill(project, 2)
    late = timezone.now() + timedelta(hours=1)
    before = lease_next(project=project, user=bob, now=late)
    own = lease_next(project=project, user=alice)
    assert shorten_leases() == 1
    ends = dict(Assignment.objects.values_list("pk", "expires_at"))
    assert ends[own.pk] == own.expires_at
    assert ends[before.pk] <= timezone.now() + timedelta(minutes=project.lease_minutes)
    assert lease_next(project=project, user=bob) == before
