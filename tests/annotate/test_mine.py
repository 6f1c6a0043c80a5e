"""A rater's own judgements: listed, searched, opened to be changed; nobody else's."""

import pytest
from django.urls import reverse

from annotate.models import Assignment
from annotate.services.judgement import revise, shown_in, submit_judgement
from annotate.services.project import add_member
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item


@pytest.fixture
def url(project):
    return reverse("annotate:mine", args=[project.slug])


def judge(project, user, prompt, **answer):
    """The judgement of a new task with this prompt."""
    make_tasks(project=project, items=[make_item(project, prompt, f"{prompt} yes", f"{prompt} no")])
    lease = lease_next(project=project, user=user)
    sent = {"outcome": "tie", "texts_sha256": shown_in(lease).sha256, **answer}
    return submit_judgement(assignment=lease, user=user, answer=sent, idempotency_key=prompt)


def prompts(response):
    return [one["row"].item.prompt for one in response.context["page"]]


def test_the_newest_comes_first_and_each_opens(client_of, project, bob, url):
    first, second = judge(project, bob, "Rome?"), judge(project, bob, "Paris?")
    response = client_of(bob).get(url)
    assert prompts(response) == ["Paris?", "Rome?"]
    for one in (first, second):
        assert reverse("annotate:judge", args=[project.slug, one.assignment_id]) in response.content.decode()


def test_words_are_found_in_prompts_responses_and_rationales(client_of, project, bob, url):
    judge(project, bob, "Rome?", rationale="Left knows the river.")
    judge(project, bob, "Paris?")
    browser = client_of(bob)
    for words, found in (("rome", ["Rome?"]), ("Paris? yes", ["Paris?"]), ("RIVER", ["Rome?"]), ("Berlin", [])):
        assert prompts(browser.get(url, {"q": words})) == found


@pytest.mark.parametrize("words", ["\0", "%", "x" * 9999, "item__project", "'"])
def test_any_words_are_only_words(client_of, project, bob, url, words):
    judge(project, bob, "Rome?")
    assert client_of(bob).get(url, {"q": words}).status_code == 200


def test_a_change_is_one_line_and_says_so(client_of, project, bob, url):
    old = judge(project, bob, "Rome?")
    answer = {"outcome": "both_bad", "texts_sha256": shown_in(old.assignment).sha256}
    revise(judgement=old, user=bob, answer=answer, idempotency_key="again")
    response = client_of(bob).get(url)
    assert [one["verdict"] for one in response.context["page"]] == ["both bad"]
    assert "changed 1×" in response.content.decode()


def test_nobody_sees_what_others_said(client_of, project, alice, bob, url):
    judge(project, bob, "Rome?")
    add_member(project=project, user=alice, role="admin", actor=alice)
    assert prompts(client_of(alice).get(url)) == []


def test_it_is_paged_and_searched_in_place(client_of, project, bob, url):
    for n in range(31):
        judge(project, bob, f"Town {n}?")
    browser = client_of(bob)
    assert prompts(browser.get(url, {"page": 2})) == ["Town 0?"]
    fragment = browser.get(url, {"q": "Town 7?"}, headers={"HX-Request": "true"})
    assert b"<html" not in fragment.content
    assert prompts(fragment) == ["Town 7?"]


def test_strangers_researchers_and_posts_are_refused(client_of, project, charlie, bob, person, url):
    rachel = person("rachel")
    add_member(project=project, user=rachel, role="researcher")
    assert client_of(charlie).get(url).status_code == 404
    assert client_of(rachel).get(url).status_code == 403
    assert client_of(bob).post(url).status_code == 405
    assert not Assignment.objects.exists()
