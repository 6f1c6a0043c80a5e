"""Gold tasks, the qualification set and their grading, as stored."""

import pytest
from django.core.exceptions import ValidationError

from annotate.models import Event, Judgement, KnownAnswer, Task
from annotate.services.judgement import revise, shown_in, submit_judgement
from annotate.services.known import add_known, reset_qualification, retire_known
from annotate.services.queue import lease_next, why_nothing
from annotate.services.task import make_tasks
from tests.annotate.making import make_item, make_known

pytestmark = pytest.mark.django_db


def tell(lease, best, key="k"):
    """Submit that the response with this text is best."""
    ids = {response.text: response.pk for response in lease.task.responses.all()}
    worst = next(pk for text, pk in ids.items() if text != best)
    answer = {"outcome": "ranking", "ranking": [[ids[best]], [worst]], "strength": 1, "schema_version": 1}
    answer["texts_sha256"] = dict(shown_in(lease).sha256)
    key = f"{key}{lease.pk}"
    return submit_judgement(assignment=lease, user=lease.rater, answer=answer, idempotency_key=key)


def member(project, user):
    return project.memberships.get(user=user)


def test_a_known_answer_has_a_task_of_its_own_without_slots(project, alice):
    known = make_known(project, "Which?", actor=alice)
    assert (known.task.kind, known.task.slots, known.task.responses.count()) == ("gold", 0, 2)
    assert Event.objects.get(kind="known.added").actor == alice


def test_people_are_not_asked_any_more_what_is_known(project):
    item = make_item(project, "Which?", "good", "bad")
    make_tasks(project=project, items=[item])
    known = make_known(project, "Which?", item=item, taken_from=Task.objects.get())
    assert Task.objects.exclude(pk=known.task_id).values_list("slots", "open_slots").get() == (0, 0)


@pytest.mark.parametrize(
    "wrong", [{"outcome": "nothing"}, {"outcome": "ranking", "ranking": [[1, 2]]}, {"outcome": "tie", "omissions": 3}]
)
def test_a_known_answer_must_be_one_that_could_be_given(project, wrong):
    item = make_item(project, "Which?", "good", "bad")
    with pytest.raises(ValidationError):
        add_known(project=project, task_or_responses=list(item.responses.all()), kind="gold", answer=wrong)
    assert not KnownAnswer.objects.exists()


def test_a_known_answer_is_of_one_item_of_this_project_and_of_a_kind_that_is_known(project, alice):
    from annotate.services.project import create_project

    one, other = (make_item(project, prompt, "good", "bad").responses.first() for prompt in "ab")
    elsewhere = make_item(create_project(slug="other", name="Other", actor=alice), "c", "good").responses.first()
    for responses, kind in (([one, other], "gold"), ([elsewhere], "gold"), ([], "gold"), ([one], "normal")):
        with pytest.raises(ValidationError):
            add_known(project=project, task_or_responses=responses, kind=kind, answer={"outcome": "tie"})


def test_a_changed_known_answer_grades_again(project, bob):
    known = make_known(project, "Which?", kind="qualification")
    judgement = tell(lease_next(project=project, user=bob), "bad")
    assert judgement.right is False
    make_known(project, "Which?", kind="qualification", best="bad", item=known.task.item)
    judgement.refresh_from_db()
    assert (judgement.right, KnownAnswer.objects.count()) == (True, 1)


def test_only_a_known_task_is_right_or_wrong(project, bob):
    make_tasks(project=project, items=[make_item(project, "Which?", "good", "bad")])
    assert tell(lease_next(project=project, user=bob), "good").right is None


# ---- Qualification


def test_a_new_annotator_begins_with_the_qualification_set_and_passes(project, bob):
    make_tasks(project=project, items=[make_item(project, "Normal?", "good", "bad")])
    for n in range(5):
        make_known(project, f"Exam {n}?", kind="qualification")
    for n in range(5):
        lease = lease_next(project=project, user=bob)
        assert (lease.kind, lease.holds_slot, lease.reason) == ("qualification", False, "qualification")
        tell(lease, "bad" if n == 0 else "good")
    assert lease_next(project=project, user=bob).kind == "normal"
    assert member(project, bob).qualified is True
    assert Event.objects.get(kind="qualification.passed").data == {"share": 0.8}


def test_who_fails_is_given_nothing_until_an_admin_lets_them_try_again(project, bob, alice):
    make_tasks(project=project, items=[make_item(project, "Normal?", "good", "bad")])
    make_known(project, "Exam?", kind="qualification")
    tell(lease_next(project=project, user=bob), "bad")
    assert lease_next(project=project, user=bob) is None
    assert (member(project, bob).qualified, why_nothing(project, bob)) == (False, "failed")
    reset_qualification(member=member(project, bob), actor=alice)
    again = lease_next(project=project, user=bob)
    assert again.kind == "qualification"
    tell(again, "good", key="again")
    assert lease_next(project=project, user=bob).kind == "normal"
    assert list(Judgement.objects.order_by("pk").values_list("right", "superseded")) == [(False, True), (True, False)]


def test_a_skipped_question_is_not_right(project, bob):
    from annotate.services.lease import skip

    make_known(project, "Exam?", kind="qualification")
    skip(assignment=lease_next(project=project, user=bob), user=bob)
    assert lease_next(project=project, user=bob) is None
    assert member(project, bob).qualified is False


def test_reviewers_and_admins_need_no_qualification(project, alice):
    make_tasks(project=project, items=[make_item(project, "Normal?", "good", "bad")])
    make_known(project, "Exam?", kind="qualification")
    assert lease_next(project=project, user=alice).kind == "normal"


def test_a_retired_question_is_asked_no_more(project, bob):
    make_tasks(project=project, items=[make_item(project, "Normal?", "good", "bad")])
    retire_known(known=make_known(project, "Exam?", kind="qualification"))
    assert lease_next(project=project, user=bob).kind == "normal"
    assert member(project, bob).qualified is None


def test_who_was_told_the_answer_earns_nothing_by_giving_it(project, bob):
    make_known(project, "Exam?", kind="qualification")
    lease = lease_next(project=project, user=bob)
    first = tell(lease, "bad")
    known = lease.task.known.answer | {"strength": 1, "schema_version": 1}
    known["texts_sha256"] = dict(shown_in(lease).sha256)
    second = revise(judgement=first, user=bob, answer=known, idempotency_key="later")
    assert (second.ranking[0], second.right) == (known["ranking"][0], False)
