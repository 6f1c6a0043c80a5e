"""Judgements taken back and given back: nothing is left behind in any count."""

import pytest
from django.core.exceptions import ValidationError

from annotate.models import Judgement, Task
from annotate.services.judgement import revise, submit_judgement
from annotate.services.lease import Conflict
from annotate.services.queue import lease_next
from annotate.services.tally import recount
from annotate.services.withdraw import raters, restore, withdraw_judgement, withdraw_rater, withdrawals
from tests.annotate.test_tally import count, judged, kept, texts  # noqa: F401


@pytest.fixture
def answered(judged, bob):  # noqa: F811
    """Bob's answer to one task, revised once; everything is counted."""
    lease = lease_next(project=judged, user=bob)
    answer = {"outcome": "tie", "schema_version": 1, "texts_sha256": texts(lease)}
    old = submit_judgement(assignment=lease, user=bob, answer=answer, idempotency_key="a", active_ms=5000)
    left, right = lease.shown_order
    answer |= {"outcome": "ranking", "ranking": [[left], [right]], "strength": 2}
    newer = revise(judgement=old, user=bob, answer=answer, idempotency_key="b", active_ms=9000)
    count(judged)
    return newer


def told(project):
    """What is kept, without raters of whom nothing is left."""
    *parts, sums = kept(project)
    return [*parts, {key: values for key, values in sums.items() if values}]


def from_scratch(project):
    recount(project=project)
    count(project)
    return told(project)


def test_a_withdrawn_rater_counts_nowhere_and_comes_back_whole(judged, alice):  # noqa: F811
    count(judged)
    before, ann = told(judged), Judgement.objects.filter(rater_name="ann").count()
    event = withdraw_rater(project=judged, who="name:ann", why="Asked to be left out.", actor=alice)
    assert event.data["judgements"] == ann == Judgement.objects.exclude(withdrawn_at=None).count()
    count(judged)
    assert not any(who == "name:ann" for who, _ in told(judged)[-1])
    assert told(judged) == from_scratch(judged)
    assert restore(event=event, actor=alice) == ann
    count(judged)
    assert told(judged) == before == from_scratch(judged)


def test_one_judgement_goes_with_its_revisions(judged, answered):  # noqa: F811
    before = told(judged)
    event = withdraw_judgement(judgement=answered, why="A slip.")
    assert event.data["judgements"] == 1
    assert Judgement.objects.exclude(withdrawn_at=None).count() == 2
    count(judged)
    assert told(judged) == from_scratch(judged)
    restore(event=event)
    count(judged)
    assert told(judged) == before


def test_what_was_not_counted_yet_is_not_taken_back_twice(judged, answered):  # noqa: F811
    recount(project=judged)
    event = withdraw_rater(project=judged, who=f"user:{answered.rater_id}", why="x")
    restore(event=event)
    count(judged)
    assert told(judged) == from_scratch(judged)


def test_others_are_asked_in_its_place(judged, answered):  # noqa: F811
    task = Task.objects.get(pk=answered.task_id)
    assert task.open_slots == task.slots - 1
    event = withdraw_judgement(judgement=answered, why="A slip.")
    task.refresh_from_db()
    assert task.open_slots == task.slots
    restore(event=event)
    task.refresh_from_db()
    assert task.open_slots == task.slots - 1


def test_a_slot_that_was_taken_meanwhile_stays_taken(judged, answered):  # noqa: F811
    event = withdraw_judgement(judgement=answered, why="A slip.")
    Task.objects.filter(pk=answered.task_id).update(open_slots=0)
    restore(event=event)
    answered.assignment.refresh_from_db()
    assert Judgement.objects.current().filter(pk=answered.pk).exists()
    assert not answered.assignment.holds_slot


def test_the_rater_cannot_change_it_and_is_not_asked_again(judged, answered, bob):  # noqa: F811
    withdraw_judgement(judgement=answered, why="A slip.")
    answer = {"outcome": "tie", "schema_version": 1, "texts_sha256": texts(answered.assignment)}
    with pytest.raises(Conflict):
        revise(judgement=answered, user=bob, answer=answer, idempotency_key="c")
    assert lease_next(project=judged, user=bob).task_id != answered.task_id


@pytest.mark.parametrize("why", ["", "  \0", "x" * 301])
def test_a_reason_is_needed(judged, why):  # noqa: F811
    with pytest.raises(ValidationError, match="Say why"):
        withdraw_rater(project=judged, who="name:ann", why=why)
    assert not Judgement.objects.exclude(withdrawn_at=None).exists()


@pytest.mark.parametrize("who", ["name:nobody", "user:999999", "user:x", "", "name:\0"])
def test_nothing_to_withdraw_is_said(judged, who):  # noqa: F811
    with pytest.raises(ValidationError):
        withdraw_rater(project=judged, who=who, why="x")


def test_an_act_is_undone_once(judged):  # noqa: F811
    first = withdraw_rater(project=judged, who="name:ann", why="x")
    second = withdraw_rater(project=judged, who="name:ben", why="y")
    restore(event=first)
    with pytest.raises(ValidationError, match="undone already"):
        restore(event=first)
    assert [(event.pk, event.restored) for event in withdrawals(judged)] == [(second.pk, False), (first.pk, True)]
    assert {row["name"] for row in raters(judged)} == {"ann", "cem", "gpt"}
