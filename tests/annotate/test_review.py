"""Cases: found, read blind, decided by a judgement of its own, undone; and who is told what."""

import json
import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from annotate.models import Assignment, Case, Comment, Event, Judgement, Role, Task
from annotate.services.comment import add_comment, delete_comment
from annotate.services.judgement import store_judgements
from annotate.services.lease import Conflict
from annotate.services.project import add_member, change_settings
from annotate.services.queue import lease_next
from annotate.services.review import begin_decision, case_order, dismiss, reopen, settle
from annotate.services.tally import count_some
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"annotate:{name}", args=["answers", *args])


def say(project, task, rater, best, **fields):
    """The rater prefers the response of that text."""
    ids = {response.text: response.pk for response in task.responses.all()}
    ranking = [[ids[best]], [pk for text, pk in ids.items() if text != best]]
    key = f"{task.pk}-{rater.username}"
    row = {"task": task, "shown_order": sorted(ids.values()), "outcome": "ranking", "ranking": ranking, "rater": rater}
    store_judgements(project=project, rows=[row | {"idempotency_key": key} | fields], source="human")
    return Judgement.objects.get(idempotency_key=key)


@pytest.fixture
def dora(project, person):
    user = person("dora")
    add_member(project=project, user=user, role=Role.REVIEWER)
    return user


@pytest.fixture
def task(project, bob, person):
    """Bob and Erin disagree about one task and agree about another."""
    items = [make_item(project, "Which one?", "alpha text", "beta text"), make_item(project, "Agreed?", "a", "b")]
    make_tasks(project=project, items=items)
    disputed, agreed = project.tasks.order_by("pk")
    erin = person("erin")
    add_member(project=project, user=erin, role=Role.ANNOTATOR)
    first = disputed.responses.get(text="alpha text").pk
    span = {"response": first, "start": 0, "end": 5, "quote": "alpha", "category": "wrong", "note": "not so"}
    say(project, disputed, bob, "beta text", spans=[span], rationale="Because of bob-words.")
    say(project, disputed, erin, "alpha text")
    for rater in (bob, erin):
        say(project, agreed, rater, "a")
    count_some(project=project)
    return disputed


@pytest.fixture
def judging(project, task, dora):
    """Dora is judging the task herself."""
    Task.objects.exclude(pk=task.pk).update(open_slots=0)
    Task.objects.filter(pk=task.pk).update(open_slots=1, slots=3)
    mine = lease_next(project=project, user=dora)
    assert mine.task == task
    return mine


@pytest.fixture
def reviewer(client_of, dora):
    return client_of(dora)


def decide(browser, task, best="alpha text", **sent):
    """Open the judging page as the case page does, and send what it would send."""
    page = browser.get(browser.post(url("decide", task.pk), sent).url)
    data = re.search(r'<script id="judge-data" type="application/json">(.*?)</script>', page.content.decode(), re.S)
    data, ids = json.loads(data[1]), {response.text: response.pk for response in task.responses.all()}
    ranking = [[ids[best]], [pk for text, pk in ids.items() if text != best]]
    answer = {"outcome": "ranking", "ranking": ranking, "strength": 2, "rationale": "Dora-words.", **data["fixed"]}
    body = {"answer": answer, "key": data["key"], "revises": data["revises"]}
    pk = page.context["assignment"].pk
    return browser.post(url("submit", pk), body, content_type="application/json")


# ---- The queue


def test_the_queue_holds_what_is_disputed_and_not_what_is_agreed(reviewer, task):
    page = reviewer.get(url("review"))
    assert [(row.pk, row.apart, row.flagged) for row in page.context["page"]] == [(task.pk, 1.0, False)]
    assert "100 %" in page.content.decode()


def test_flagged_tasks_stand_first_with_their_note(project, reviewer, bob, task):
    agreed = project.tasks.exclude(pk=task.pk).get()
    Case.objects.create(project=project, task=agreed, flagged_by=bob, note="Odd <b>prompt")
    page = reviewer.get(url("review"))
    assert [row.pk for row in page.context["page"]] == [agreed.pk, task.pk]
    assert "Odd &lt;b&gt;prompt" in page.content.decode()
    assert "bob" not in page.content.decode()


def test_a_flag_on_a_task_whose_answer_is_known_reaches_the_reviewers_too(project, reviewer, bob, task):
    hidden = Task.objects.create(project=project, item=task.item, key="gold", kind="gold", slots=0, open_slots=0)
    hidden.responses.set(task.responses.all())
    Case.objects.create(project=project, task=hidden, flagged_by=bob, note="Both are wrong.")
    html = reviewer.get("/p/answers/review/").content.decode()
    assert "Both are wrong." in html
    assert reviewer.get(f"/p/answers/review/{hidden.pk}/").status_code == 200


def test_filters_are_allow_lists(project, reviewer, dora, bob, task):
    say(project, task, dora, "alpha text")
    count_some(project=project)
    shown = lambda **asked: [row.pk for row in reviewer.get(url("review"), asked).context["page"]]  # noqa: E731
    assert shown(kind="disagreement") == shown(about="preference") == shown(about="tasks__secret") == [task.pk]
    assert (
        shown(kind="flagged") == shown(state="decided") == shown(mine="out") == shown(about="criterion:clarity") == []
    )
    assert shown(rater="999", state="x", kind="__", page="z") == [task.pk]


def test_who_judged_is_a_filter_for_those_who_may_know(client_of, alice, reviewer, bob, dora, task):
    asked = {"rater": dora.pk}
    assert [row.pk for row in client_of(alice).get(url("review"), asked).context["page"]] == []
    assert [row.pk for row in client_of(alice).get(url("review"), {"rater": bob.pk}).context["page"]] == [task.pk]
    assert [row.pk for row in reviewer.get(url("review"), asked).context["page"]] == [task.pk]
    assert "bob" not in reviewer.get(url("review")).content.decode()


def test_a_change_of_filter_gets_the_rows_alone(reviewer, task):
    html = reviewer.get(url("review"), headers={"HX-Request": "true"}).content.decode()
    assert html.strip().startswith('<div id="rows">')
    assert "<h1>" not in html


# ---- The case page


def test_a_case_is_blind_to_names_and_models(reviewer, task):
    html = reviewer.get(url("case", task.pk)).content.decode()
    for seen in ("Rater 1", "Rater 2", "bob-words", "<q>alpha</q>", "not so"):
        assert seen in html
    for hidden in ("erin", "source-0", "source-1", "gold", ">bob"):
        assert hidden not in html


def test_raters_stand_in_an_order_that_stays(reviewer, task):
    pages = [[one["row"].pk for one in reviewer.get(url("case", task.pk)).context["said"]] for _ in range(3)]
    assert pages[0] == pages[1] == pages[2]


def test_the_order_of_raters_and_responses_tells_nothing(project, bob, dora, settings):
    make_tasks(project=project, items=[make_item(project, f"{n}?", f"a{n}", f"b{n}") for n in range(40)])
    orders = [case_order(task) for task in project.tasks.all()]
    assert 5 < sum(order == sorted(order) for order in orders) < 35
    settings.SECRET_KEY = "another"
    assert [case_order(task) for task in project.tasks.all()] != orders


def test_a_reviewer_who_judged_the_task_is_told(project, reviewer, dora, task):
    told = "You have judged this task yourself"
    assert told not in reviewer.get(url("case", task.pk)).content.decode()
    say(project, task, dora, "alpha text")
    assert told in reviewer.get(url("case", task.pk)).content.decode()


def test_annotators_see_no_case_and_no_answer_of_others(client_of, bob, task):
    for name in ("review", "case", "item"):
        args = {"case": [task.pk], "item": [task.item_id]}.get(name, [])
        assert client_of(bob).get(url(name, *args)).status_code == 403


def test_reviewers_and_leads_read_what_annotators_said(client_of, alice, reviewer, task):
    assert "bob-words" in reviewer.get(url("item", task.item_id)).content.decode()
    assert ">bob" not in reviewer.get(url("item", task.item_id)).content.decode()
    assert "bob" in client_of(alice).get(url("item", task.item_id)).content.decode()


# ---- The decision


def test_a_decision_is_its_own_record_and_takes_no_slot(reviewer, dora, task):
    before = list(Judgement.objects.values().order_by("pk"))
    slots = (task.slots, task.open_slots)
    assert decide(reviewer, task).json()["next"] == url("case", task.pk)
    stored = Judgement.objects.get(kind="adjudication")
    assert (stored.source, stored.rater, stored.rationale) == ("adjudicated", dora, "Dora-words.")
    assert list(Judgement.objects.exclude(pk=stored.pk).values().order_by("pk")) == before
    task.refresh_from_db()
    assert (task.slots, task.open_slots) == slots
    case = Case.objects.get()
    assert (case.state, case.judgement, case.closed_by) == ("decided", stored, dora)
    assert Event.objects.filter(kind="case.decided", data__judgement=stored.pk).exists()


def test_the_judging_page_of_a_decision_shows_the_others_and_no_names(reviewer, task):
    html = reviewer.get(reviewer.post(url("decide", task.pk)).url).content.decode()
    assert "bob-words" in html
    assert "Rater 1" in html
    assert ">bob" not in html
    assert "erin" not in html


def test_a_decision_is_revised_not_overwritten(reviewer, task):
    decide(reviewer, task)
    decide(reviewer, task, best="beta text")
    first, second = Judgement.objects.filter(kind="adjudication").order_by("pk")
    assert (first.superseded, second.revision, second.supersedes) == (True, 2, first)
    assert Case.objects.get().judgement == second


def test_undo_withdraws_the_decision_and_another_can_be_made(reviewer, task):
    decide(reviewer, task)
    reviewer.post(url("reopen", task.pk))
    old = Judgement.objects.get(kind="adjudication")
    assert old.withdrawn_at
    assert (Case.objects.get().state, Case.objects.get().judgement) == ("open", None)
    decide(reviewer, task, best="beta text")
    assert Judgement.objects.current().get(kind="adjudication").pk != old.pk
    assert list(Event.objects.filter(kind__startswith="case.").values_list("kind", flat=True)) == [
        "case.opened", "case.decided", "case.reopened", "case.decided",
    ]  # fmt: skip


def test_the_second_of_two_reviewers_comes_too_late(client_of, alice, reviewer, task):
    admin = client_of(alice)
    admin.get(admin.post(url("decide", task.pk)).url)
    decide(reviewer, task)
    assert decide(admin, task).status_code == 409
    assert Judgement.objects.filter(kind="adjudication").count() == 1


def test_a_decision_flagged_again_is_replaced_and_kept(client_of, alice, reviewer, task):
    decide(reviewer, task)
    Case.objects.update(state="open", closed_at=None)
    decide(client_of(alice), task, best="beta text")
    old, new = Judgement.objects.filter(kind="adjudication").order_by("pk")
    assert old.withdrawn_at
    assert Case.objects.get().judgement == new


def test_begun_decisions_are_no_part_of_the_queue(project, dora, task):
    begun = begin_decision(task=task, user=dora)
    served = lease_next(project=project, user=dora)
    assert served.task_id != task.pk
    assert begin_decision(task=task, user=dora).pk == begun.pk


def test_a_case_closed_meanwhile_refuses_a_decision_at_the_database(project, dora, alice, task):
    dismiss(task=task, reason="Both fine.", actor=alice)
    assignment = begin_decision(task=task, user=dora)
    late = Judgement(task=task, assignment=assignment, rater=dora)
    with pytest.raises(Conflict):
        settle(judgement=late)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_dismissal_needs_a_reason(reviewer, task, reason):
    reviewer.post(url("dismiss", task.pk), {"reason": reason})
    assert not Case.objects.filter(state="dismissed").exists()


def test_a_case_is_dismissed_and_opened_again(reviewer, dora, task):
    reviewer.post(url("dismiss", task.pk), {"reason": "Both <i>fine</i>."})
    case = Case.objects.get()
    assert (case.state, case.reason, case.closed_by) == ("dismissed", "Both <i>fine</i>.", dora)
    assert "Both &lt;i&gt;fine&lt;/i&gt;." in reviewer.get(url("case", task.pk)).content.decode()
    reopen(task=task, actor=dora)
    with pytest.raises(ValidationError, match="open already"):
        reopen(task=task, actor=dora)
    assert reviewer.get(url("review")).context["page"][0].state == "open"


def test_a_task_of_another_project_is_no_case_here(client_of, alice, task):
    assert client_of(alice).get(url("case", task.pk + 1000)).status_code == 404


# ---- Names


def test_names_are_shown_after_the_decision_to_an_admin_and_it_is_on_record(client_of, alice, reviewer, task):
    admin = client_of(alice)
    assert admin.post(url("reveal", task.pk)).status_code == 404
    decide(reviewer, task)
    assert reviewer.post(url("reveal", task.pk)).status_code == 403
    assert "bob" in admin.post(url("reveal", task.pk)).content.decode()
    assert ">bob" not in admin.get(url("case", task.pk)).content.decode()
    assert Event.objects.get(kind="case.revealed").actor == alice


def test_names_stay_hidden_while_the_case_is_open(project, client_of, alice, bob, task):
    Case.objects.create(project=project, task=task, flagged_by=bob, note="look")
    page = client_of(alice).post(url("reveal", task.pk), follow=True).content.decode()
    assert ">bob" not in page
    assert "when the case is closed" in page
    assert not Event.objects.filter(kind="case.revealed").exists()


# ---- Talk


def test_comments_are_text_and_may_be_taken_back_within_the_hour(reviewer, dora, alice, task):
    reviewer.post(url("comment", task.pk), {"text": "See <script>this</script>"})
    comment = Comment.objects.get()
    assert "&lt;script&gt;this" in reviewer.get(url("case", task.pk)).content.decode()
    for actor, later in ((alice, 0), (dora, 61)):
        with pytest.raises(ValidationError):
            delete_comment(comment=comment, actor=actor, now=timezone.now() + timedelta(minutes=later))
    reviewer.post(url("comment_delete", comment.pk))
    assert not Comment.objects.exists()
    assert [e.kind for e in Event.objects.filter(kind__startswith="comment.")] == ["comment.added", "comment.deleted"]


def test_the_comment_of_another_stays(client_of, alice, dora, task):
    comment = add_comment(task=task, author=dora, text="Mine.")
    client_of(alice).post(url("comment_delete", comment.pk))
    assert Comment.objects.get() == comment


@pytest.mark.parametrize("text", ["", " \n", "x" * 5001])
def test_an_empty_or_endless_comment_is_none(reviewer, task, text):
    reviewer.post(url("comment", task.pk), {"text": text})
    assert not Comment.objects.exists()


# ---- Outcomes


@pytest.fixture
def mine(project, task, bob):
    """Bob's judgement has an assignment, as one made on the page has."""
    own = Judgement.objects.get(task=task, rater=bob)
    now = timezone.now()
    lease = {"state": "submitted", "shown_order": own.shown_order, "leased_at": now, "expires_at": now}
    own.assignment = Assignment.objects.create(task=task, rater=bob, **lease)
    own.save()
    change_settings(project=project, show_outcomes=True)
    return own


def test_a_rater_sees_the_decision_beside_their_own_and_nobody_elses_answer(client_of, bob, reviewer, dora, task, mine):
    assert client_of(bob).get(url("outcomes")).context["rows"] == []
    decide(reviewer, task)
    add_comment(task=task, author=dora, text="Mind the date.")
    html = client_of(bob).get(url("outcomes")).content.decode()
    for seen in ("bob-words", "Dora-words", "Mind the date.", "another person"):
        assert seen in html
    for hidden in ("dora", "erin", "Rater 2"):
        assert hidden not in html


def test_outcomes_are_shown_only_where_the_project_allows(project, client_of, bob, reviewer, task, mine):
    decide(reviewer, task)
    change_settings(project=project, show_outcomes=False)
    html = client_of(bob).get(url("outcomes")).content.decode()
    assert "Dora-words" not in html
    assert "does not show" in html
    client_of(bob).post(url("outcome_comment", mine.assignment_id), {"text": "Why?"})
    assert not Comment.objects.exists()


def test_a_rater_talks_about_a_decided_task_of_their_own(client_of, bob, alice, reviewer, task, mine):
    client_of(bob).post(url("outcome_comment", mine.assignment_id), {"text": "Too early"})
    assert not Comment.objects.exists()
    decide(reviewer, task)
    client_of(bob).post(url("outcome_comment", mine.assignment_id), {"text": "I see."})
    assert Comment.objects.get().author == bob
    assert client_of(alice).post(url("outcome_comment", mine.assignment_id), {"text": "x"}).status_code == 404


@pytest.mark.parametrize("name", ["case", "decide", "dismiss", "reopen"])
def test_who_is_judging_a_task_cannot_read_what_others_said_of_it(reviewer, task, judging, name):
    ask = reviewer.get if name == "case" else reviewer.post
    refused = ask(url(name, task.pk), {"reason": "Nothing."})
    assert refused.status_code == 403
    assert "You are judging this task yourself." in refused.content.decode()
    assert not Assignment.objects.filter(kind="adjudication").exists()
    other = Task.objects.exclude(pk=task.pk).get()
    assert ask(url(name, other.pk), {"reason": "Nothing."}).status_code in (200, 302)


def test_the_item_shows_no_answers_while_one_of_its_tasks_is_judged(reviewer, task, judging):
    html = reviewer.get(url("item", task.item_id)).content.decode()
    assert "You are judging a task of this item yourself." in html
    assert "bob-words" not in html


@pytest.mark.parametrize("change", [{"state": "submitted"}, {"state": "skipped"}, {"expires_at": timezone.now()}])
def test_they_can_be_read_once_it_is_judged_or_given_back(reviewer, task, judging, change):
    Assignment.objects.filter(pk=judging.pk).update(**change)
    assert "bob-words" in reviewer.get(url("case", task.pk)).content.decode()
    assert "bob-words" in reviewer.get(url("item", task.item_id)).content.decode()


def test_a_decision_that_was_begun_does_not_close_its_own_case(reviewer, task, dora):
    begin_decision(task=task, user=dora)
    assert reviewer.get(url("case", task.pk)).status_code == 200
