"""Guidelines: versions, what changed, who is told, worked examples."""

import pytest
from django.urls import reverse

from annotate.models import Event, GuidelineVersion, Judgement, KnownAnswer, Task
from annotate.services.guidelines import change_guidelines, changes
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"annotate:{name}", args=["answers", *args])


def save(client, text, part="save"):
    return client.post(url("guidelines_edit"), {"guidelines": text, "part": part})


@pytest.fixture
def admin(client_of, project, alice):
    return client_of(alice)


@pytest.fixture
def judged(project, alice, bob):
    """Bob has judged one task by version 1 of the guidelines."""
    change_guidelines(project=project, body="Be kind.", actor=alice)
    make_tasks(project=project, items=[make_item(project, "Q?", "a", "b")])
    lease = lease_next(project=project, user=bob)
    return Judgement.objects.create(
        project=project, item=lease.task.item, task=lease.task, rater=bob, assignment=lease,
        shown_order=lease.shown_order, outcome="tie", schema_version=1, texts_sha256={}, idempotency_key="k",
        guidelines_number=1,
    )  # fmt: skip


def test_each_change_is_a_version_and_the_same_text_is_none(admin, project, alice):
    for text in ("Be kind.", "Be kind.\r\nBe quick.", "Be kind.\r\nBe quick."):
        assert save(admin, text).url == url("guidelines")
    versions = project.guideline_versions.values_list("number", "body", "created_by")
    assert list(versions) == [(2, "Be kind.\nBe quick.", alice.pk), (1, "Be kind.", alice.pk)]
    project.refresh_from_db()
    assert (project.guidelines, project.guidelines_number) == ("Be kind.\nBe quick.", 2)
    assert [e.data["number"] for e in Event.objects.filter(kind="guidelines.changed")] == [1, 2]


def test_two_admins_at_once_make_two_versions(project, alice):
    stale = type(project).objects.get(pk=project.pk)
    change_guidelines(project=project, body="one", actor=alice)
    assert change_guidelines(project=stale, body="two", actor=alice).number == 2


def test_a_text_that_is_too_long_is_refused_at_its_field(admin, project):
    response = save(admin, "x" * 100_001)
    assert response.status_code == 422
    assert "100000" in response.content.decode()
    assert not GuidelineVersion.objects.exists()


def test_preview_is_a_harmless_fragment_and_saves_nothing(admin):
    page = save(admin, "**b** <script>alert(1)</script>", part="preview").content.decode()
    assert "<strong>b</strong>" in page
    assert "<html" not in page
    assert "<script>" not in page
    assert not GuidelineVersion.objects.exists()


def test_an_old_version_comes_back_as_a_new_one(admin, project):
    save(admin, "old")
    save(admin, "new")
    assert admin.post(url("guidelines_restore", 1)).url == url("guidelines")
    assert list(project.guideline_versions.values_list("number", "body")) == [(3, "old"), (2, "new"), (1, "old")]
    assert Event.objects.filter(kind="guidelines.changed").last().data["restored"] == 1


def test_changes_by_a_known_answer():
    old, new = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj", "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk"
    signs = "".join(sign for sign, _ in changes(old, new))
    assert signs == " -+   @   +"
    assert ("-", "b") in changes(old, new)
    assert list(changes(old, old)) == []


def test_lines_that_look_like_a_header_are_lines():
    assert list(changes("-- a\n@@ b", "++ c\n@@ b")) == [("-", "-- a"), ("+", "++ c"), (" ", "@@ b")]


def test_the_page_of_a_version_shows_what_changed_and_when(admin, client_of, bob):
    save(admin, "one\ntwo")
    save(admin, "one\nthree")
    page = admin.get(url("guidelines_version", 2)).content.decode()
    assert "two</del>" in page
    assert "three</ins>" in page
    assert "by alice" in page
    assert "alice" not in client_of(bob).get(url("guidelines_version", 2)).content.decode()


@pytest.mark.parametrize(("asked", "since"), [("1", 1), ("0", 0), ("9", 2), ("x", 2), ("²", 2), ("", 2)])
def test_since_which_version(admin, asked, since):
    for text in ("one", "two", "three"):
        save(admin, text)
    assert admin.get(url("guidelines_version", 3), {"since": asked}).context["since"] == since


def test_a_version_that_is_not_there(admin, project):
    assert admin.get(url("guidelines_version", 7)).status_code == 404
    assert admin.post(url("guidelines_restore", 7)).status_code == 404


def test_a_rater_is_told_what_changed_since_they_last_judged(admin, client_of, bob, judged):
    told = b"The guidelines have changed"
    browser = client_of(bob)
    assert told not in browser.get(url("guidelines")).content
    save(admin, "Be kinder.")
    for page in ("guidelines", "project"):
        assert told in browser.get(url(page)).content
    assert told in browser.get(url("judge", judged.assignment_id)).content
    Judgement.objects.filter(pk=judged.pk).update(guidelines_number=2)
    assert told not in browser.get(url("guidelines")).content


def test_who_never_judged_is_told_nothing(admin, client_of, bob):
    save(admin, "one")
    save(admin, "two")
    assert b"have changed" not in client_of(bob).get(url("guidelines")).content


def test_an_empty_project_says_what_to_do(admin, client_of, bob):
    assert url("guidelines_edit") in admin.get(url("guidelines")).content.decode()
    assert url("guidelines_edit") not in client_of(bob).get(url("guidelines")).content.decode()


@pytest.fixture
def example(project):
    item = make_item(project, "Which?", "a", "b")
    task = Task.objects.create(project=project, item=item, key="x", kind="example", slots=0, open_slots=0)
    task.responses.set(item.responses.all())
    return KnownAnswer.objects.create(task=task, answer={"outcome": "tie"}, title="A tie", explanation="Both *say* a.")


def test_an_example_opens_in_the_judging_page_with_its_explanation(client_of, bob, example):
    link = url("example", example.pk)
    assert link in client_of(bob).get(url("guidelines")).content.decode()
    page = client_of(bob).get(link)
    assert page.templates[0].name == "annotate/judge.html"
    assert "Both <em>say</em> a." in page.content.decode()
    assert "source-0" not in page.content.decode()


def test_a_retired_example_and_a_gold_task_are_no_examples(client_of, bob, example):
    KnownAnswer.objects.update(active=False)
    assert client_of(bob).get(url("example", example.pk)).status_code == 404
    KnownAnswer.objects.update(active=True)
    Task.objects.filter(pk=example.task_id).update(kind="gold")
    assert client_of(bob).get(url("example", example.pk)).status_code == 404
