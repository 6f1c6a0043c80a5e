"""After a known task: one's own answer beside the known one, for the rater alone, and only where it is told."""

import pytest
from django.urls import reverse

from annotate.models import Assignment, Judgement
from annotate.schema import DEFAULT, Category, Schema
from annotate.services.project import add_member
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from annotate.views.feedback import graded_rows
from tests.annotate.making import make_item, make_known
from tests.annotate.test_judge_views import send, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def exam(project, bob, client_of):
    """Bob's browser and his question of the qualification set."""
    make_known(project, "Exam?", kind="qualification", explanation="Because it is **good**. <script>x</script>")
    return client_of(bob), lease_next(project=project, user=bob)


def test_a_qualification_answer_leads_to_feedback(exam):
    desk, lease = exam
    body = send(desk, lease, lease=True).json()
    assert body == {"next": reverse("annotate:next", args=["answers"]), "feedback": url("feedback", lease)}
    page = desk.get(body["feedback"]).content.decode()
    assert "<strong>good</strong>" in page
    assert "<script>x" not in page
    assert f'href="{body["next"]}" autofocus' in page


def test_feedback_says_what_was_right_and_what_was_not(exam):
    desk, lease = exam
    good = lease.task.responses.get(text="good").pk
    bad = lease.task.responses.get(text="bad").pk
    send(desk, lease, {"ranking": [[bad], [good]]})
    page = desk.get(url("feedback", lease))
    assert page.context["right"] is False
    side = dict(zip(lease.shown_order, ("Left", "Right"), strict=True))
    row = {"asked": "Verdict", "yours": f"{side[bad]} best", "known": f"{side[good]} best", "right": False}
    assert page.context["rows"] == [row]
    assert b"Not quite" in page.content


def test_every_kind_of_question_has_its_words():
    schema = Schema(
        categories=DEFAULT.categories,
        criteria=DEFAULT.criteria,
        safety=(Category(key="fraud", label="Fraud"),),
        steps="each",
    )
    mark = {"response": 7, "start": 0, "end": 4, "quote": "Rome", "category": "wrong"}
    known = {
        "outcome": "ranking", "ranking": [[7], [5]], "strength": 2, "ratings": {"7": {"helpful": 5}}, "spans": [mark],
        "steps": {"7": [1, -1]}, "safety": {"5": {}},
    }  # fmt: skip
    said = {"outcome": "tie", "ranking": [[7, 5]], "ratings": {7: {"helpful": 4}}, "safety": {5: {"fraud": 1}}}
    rows = [tuple(row.values()) for row in graded_rows(said, known, schema, [7, 5])]
    assert rows == [
        ("Verdict", "equal", "Left best", False),
        ("How much better", "not said", "better", False),
        ("Helpfulness, Left", "4", "5", True),
        ("Wrong fact, Left: “Rome”", "not marked", "marked", False),
        ("First wrong step, Left", "not said", "step 2", False),
        ("Harm, Right", "Fraud", "nothing harmful", False),
    ]


def gold_answered(project, bob, desk):
    """Bob's second task, which is the gold one, and what its submit said."""
    first = lease_next(project=project, user=bob)
    send(desk, first)
    lease = lease_next(project=project, user=bob)
    assert lease.kind == "gold"
    return first, lease, send(desk, lease).json()


@pytest.mark.parametrize("told", [True, False])
def test_a_gold_task_is_told_where_the_project_allows_it(project, bob, client_of, monkeypatch, told):
    from annotate.services import hidden

    monkeypatch.setattr(hidden, "draw", lambda text: 0.0)
    make_tasks(project=project, items=[make_item(project, f"Question {n}?", "a", "b") for n in range(3)])
    make_known(project, "Gold?")
    type(project).objects.update(gold_share=0.5, gold_feedback=told)
    project.refresh_from_db()
    desk = client_of(bob)
    first, lease, body = gold_answered(project, bob, desk)
    assert ("feedback" in body) is told
    assert desk.get(url("feedback", lease)).status_code == (200 if told else 404)
    assert desk.get(url("feedback", first)).status_code == 404


def test_nothing_is_told_before_the_answer(exam):
    desk, lease = exam
    assert desk.get(url("feedback", lease)).status_code == 404


def test_it_is_for_the_rater_alone(exam, project, alice, charlie, person, client_of):
    desk, lease = exam
    send(desk, lease)
    dora = person("dora")
    add_member(project=project, user=dora, role="researcher")
    assert client_of(alice).get(url("feedback", lease)).status_code == 404
    assert client_of(charlie).get(url("feedback", lease)).status_code == 404
    assert client_of(dora).get(url("feedback", lease)).status_code == 403
    assert desk.post(url("feedback", lease)).status_code == 405


def test_who_fails_is_told_so_and_what_to_do(exam, project):
    desk, lease = exam
    send(desk, lease, {"outcome": "tie"})
    page = desk.get(reverse("annotate:next", args=[project.slug])).content.decode()
    assert "did not pass the qualification" in page
    assert reverse("annotate:guidelines", args=[project.slug]) in page
    assert (Judgement.objects.get().right, Assignment.objects.count()) == (False, 1)
