"""Known answers: made from judgements, judged with an interval, retired; the qualification set and its people."""

import pytest
from django.urls import reverse

from annotate.models import Event, Judgement, KnownAnswer, Membership, Task
from annotate.services.judgement import store_judgements
from annotate.services.task import make_tasks
from tests.annotate.making import make_item, make_known
from tests.annotate.test_review import decide

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"annotate:{name}", args=["answers", *args])


@pytest.fixture
def admin(client_of, project, alice):
    return client_of(alice)


@pytest.fixture
def judgement(project, bob):
    make_tasks(project=project, items=[make_item(project, "Which?", "good", "bad")])
    task = Task.objects.get()
    good, bad = (task.responses.get(text=text).pk for text in ("good", "bad"))
    span = {"response": bad, "start": 0, "end": 3, "quote": "bad", "category": "wrong"}
    row = {"task": task, "shown_order": [bad, good], "outcome": "ranking", "ranking": [[good], [bad]], "strength": 2}
    row |= {"rater": bob, "idempotency_key": "k", "spans": [span], "ratings": {str(good): {"helpful": 5}}}
    store_judgements(project=project, rows=[row], source="human")
    return Judgement.objects.get()


def test_a_judgement_becomes_gold_with_all_that_it_says(admin, judgement, alice):
    sent = {"kind": "gold", "title": "", "explanation": "It is *good*."}
    assert admin.post(url("known_add", judgement.pk), sent).url == url("known")
    known = KnownAnswer.objects.get()
    assert (known.task.kind, known.created_by, known.explanation) == ("gold", alice, "It is *good*.")
    assert known.answer["ranking"] == judgement.ranking
    assert known.answer["spans"][0]["quote"] == "bad"
    assert list(known.answer["ratings"].values()) == [{"helpful": 5}]
    html = admin.get(url("known")).content.decode()
    assert "<em>good</em>" in html
    assert "better than" in html


def test_nothing_is_chosen_beforehand_and_a_kind_is_needed(admin, judgement):
    assert " checked" not in admin.get(url("known_add", judgement.pk)).content.decode()
    assert admin.post(url("known_add", judgement.pk), {"explanation": "x"}).status_code == 422
    assert admin.post(url("known_add", judgement.pk), {"kind": "normal"}).status_code == 422
    assert not KnownAnswer.objects.exists()


def test_an_admin_answers_a_task_in_the_judging_page_to_make_it_known(admin, judgement):
    page = admin.post(url("decide", judgement.task_id), {"for": "known answer"})
    assert "raters will be held against" in admin.get(page.url).content.decode()
    said = decide(admin, judgement.task, best="good", **{"for": "known answer"}).json()
    own = Judgement.objects.get(kind="adjudication")
    assert said["next"] == url("known_add", own.pk)
    assert not judgement.project.cases.exists()


def grade(known, rater, right, key):
    order = [response.pk for response in known.task.responses.all()]
    Judgement.objects.create(
        project=known.task.project, item=known.task.item, task=known.task, rater=rater, shown_order=order,
        outcome="tie", kind="gold", right=right, schema_version=1, texts_sha256={}, idempotency_key=key,
    )  # fmt: skip


def test_how_raters_did_with_wilsons_interval(admin, project, bob):
    known = make_known(project, "Which?")
    for n in range(10):
        grade(known, bob, n < 1, str(n))
    [row] = admin.get(url("known")).context["groups"][0][2]
    assert (row["known"].n, row["known"].hits) == (10, 1)
    assert (round(row["share"].low, 3), round(row["share"].high, 3)) == (0.018, 0.404)  # Wilson 1927: 1 of 10
    assert "look at it" in admin.get(url("known")).content.decode()


def test_revised_and_ungraded_judgements_are_not_counted(admin, project, bob):
    known = make_known(project, "Which?")
    grade(known, bob, True, "a")
    grade(known, bob, None, "b")
    grade(known, bob, False, "c")
    Judgement.objects.filter(idempotency_key="c").update(superseded=True)
    assert admin.get(url("known")).context["groups"][0][2][0]["known"].n == 1


def test_one_is_retired(admin, project):
    known = make_known(project, "Which?")
    assert admin.post(url("known_retire", known.pk)).url == url("known")
    known.refresh_from_db()
    assert not known.active
    assert Event.objects.filter(kind="known.retired").exists()
    assert "retired" in admin.get(url("known")).content.decode()


def test_who_failed_may_try_again(admin, project, bob):
    member = project.memberships.get(user=bob)
    Membership.objects.filter(pk=member.pk).update(qualified=False)
    assert "failed" in admin.get(url("known")).content.decode()
    assert admin.post(url("member_again", member.pk)).url == url("known")
    member.refresh_from_db()
    assert member.qualified is None


def test_an_empty_page_says_what_to_do(admin):
    assert url("items") in admin.get(url("known")).content.decode()


def test_more_known_answers_cost_no_more_queries(admin, project, django_assert_max_num_queries):
    for n in range(6):
        make_known(project, f"{n}?")
    with django_assert_max_num_queries(10):
        admin.get(url("known"))


def test_an_annotator_learns_nothing(client_of, bob, judgement):
    assert client_of(bob).get(url("known")).status_code == 403
    assert client_of(bob).get(url("known_add", judgement.pk)).status_code == 403
