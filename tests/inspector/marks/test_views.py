"""The page of marks: what it shows, launches and sends, and whom it refuses."""

import html
import json

import pytest
from django.urls import reverse

from annotate.models import Event, Item
from annotate.services.again import FRONT
from tests.inspector.making import explain, judge, make_item, mark
from worker.models import Job
from worker.models.job import JobState
from worker.services.claim import claim

NAMES = ("marks", "marks_explain", "marks_stop", "marks_send", "marks_undo")


@pytest.fixture
def urls(project, version):
    return {name: reverse(f"inspector:{name}", args=[project.slug, version.number]) for name in NAMES}


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def marked(project):
    """An item, and in its second response a mark."""
    item = make_item(project, "Where?", "All is <b>good</b> here.", "This is bad. That is fine.")
    first, second = item.responses.all()
    mark(judge(item, [[first], [second]], checked=[first.pk]), second, "bad")
    return item


@pytest.fixture
def explained(version, marked):
    first, second = marked.responses.all()
    explain(version, first, good=-5.0)
    explain(version, second, bad=0.5, fine=-2.0)
    return marked


def test_without_marks_the_page_says_what_to_do(browser, urls):
    assert "What is there to judge?" in browser.get(urls["marks"]).content.decode()


def test_explaining_is_launched_once_watched_and_stopped(browser, urls, version, marked):
    assert "2 responses were looked at" in browser.get(urls["marks"]).content.decode()
    for _ in range(2):
        assert browser.post(urls["marks_explain"], {"method": "ig"}).url.startswith(urls["marks"])
    job = Job.objects.get()
    assert job.params == {"version": version.pk, "marked": True, "methods": ["ig"], "heads": ["preference"]}
    assert "Waiting for a worker" in browser.get(urls["marks"]).content.decode()
    claim(job.pk)
    browser.post(urls["marks_stop"])
    assert "Stopping…" in browser.get(urls["marks"], headers={"HX-Request": "true"}).content.decode()


def test_all_heads_can_be_explained_at_once(browser, urls, version):
    browser.post(urls["marks_explain"], {"heads": "all"})
    assert Job.objects.get().params["heads"] == version.heads


def test_why_explaining_failed_or_is_impossible_is_told(browser, urls, version, marked):
    browser.post(urls["marks_explain"])
    Job.objects.update(state=JobState.FAILED, error="the <model> is gone")
    assert "the &lt;model&gt; is gone" in browser.get(urls["marks"]).content.decode()
    left_out = [{"head": "preference", "method": "exact", "why": "it is bent"}]
    Job.objects.update(state=JobState.DONE, result={"left_out": left_out})
    assert "It is bent. Choose another method." in browser.get(urls["marks"]).content.decode()


def test_the_report_stands_with_its_sentence_and_both_lists(browser, urls, explained):
    answer = browser.get(urls["marks"])
    page = html.unescape(answer.content.decode())
    assert answer.context["report"]["sentence"] in page
    assert page.count("<strong>bad</strong>") == 1
    assert "<strong>That is fine.</strong>" in page
    assert f"?item={explained.pk}&a={explained.responses.last().pk}&head=preference&method=exact" in page
    assert "An admin of this project can send these" in page


def test_a_choice_swaps_the_report_alone(browser, urls, explained):
    fragment = browser.get(urls["marks"], {"prompts": "all"}, headers={"HX-Request": "true"}).content.decode()
    assert fragment.strip().startswith('<div id="report">')


def test_the_text_is_hostile(client_of, alice, urls, explained):
    page = client_of(alice).get(urls["marks"]).content.decode()
    assert "All is &lt;b&gt;good&lt;/b&gt; here." in page
    assert "<b>good" not in page


def test_what_is_not_explained_is_counted_and_offered(browser, urls, version, explained):
    version.attributions.filter(response=explained.responses.first()).delete()
    page = browser.get(urls["marks"]).content.decode()
    assert "1 of the 2 responses that were looked at are explained" in page
    assert "Explain the others" in page


@pytest.mark.parametrize(
    "wrong", [{"head": "x"}, {"method": "layers"}, {"truth": "x"}, {"prompts": "x"}, {"format": "x"}]
)
def test_what_does_not_exist_is_not_found(browser, urls, explained, wrong):
    assert browser.get(urls["marks"], wrong).status_code == 404


def test_the_numbers_are_a_file(browser, urls, explained):
    found = json.loads(browser.get(urls["marks"], {"format": "json"}).content)["numbers"]
    assert (found["head"], found["rows"][0]["kind"], found["liked"][0]["words"]) == ("preference", "any", "bad")
    assert "each" not in found


def test_an_admin_sends_the_chosen_and_takes_it_back(client_of, alice, urls, project, explained):
    boss, second = client_of(alice), explained.responses.last()
    sent = {"list": "liked", "response": [second.pk, "x", "²"]}
    assert boss.post(urls["marks_send"], sent).url.endswith("#liked")
    task = project.tasks.get(priority=FRONT)
    assert task.reason == "asked again: liked by v1, preference"
    page = boss.get(urls["marks"]).content.decode()
    assert "1 put in front" in page
    assert "sent, waiting" in page
    event = Event.objects.get(kind="task.asked_again")
    boss.post(urls["marks_undo"], {"event": event.pk})
    assert not project.tasks.filter(priority=FRONT).exists()
    assert "sent, waiting" not in boss.get(urls["marks"]).content.decode()


def test_all_shown_are_sent_at_a_click_but_not_held_out_ones(client_of, alice, urls, project, explained):
    boss = client_of(alice)
    rows = [str(response.pk) for response in explained.responses.all()]
    boss.post(urls["marks_send"], {"list": "punished", "all": "1", "every": rows})
    assert project.tasks.filter(priority=FRONT).count() == 1
    Item.objects.update(split="test")
    page = boss.get(urls["marks"], {"prompts": "all"}).content.decode()
    assert "held out" in page
    assert 'name="response"' not in page


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({}, "in one of the lists"), ({"list": "liked"}, "Choose what to send"), ({"list": "x", "response": 1}, "one of")],
)
def test_sending_nothing_is_told(client_of, alice, urls, explained, wrong, told):
    assert told in client_of(alice).post(urls["marks_send"], wrong, follow=True).content.decode()


def test_undoing_what_is_not_there_or_was_undone_is_told(client_of, alice, urls, explained):
    boss = client_of(alice)
    assert "nothing to undo" in boss.post(urls["marks_undo"], {"event": "9"}, follow=True).content.decode()
    boss.post(urls["marks_send"], {"list": "liked", "response": explained.responses.last().pk})
    event = {"event": Event.objects.get(kind="task.asked_again").pk}
    boss.post(urls["marks_undo"], event)
    assert "undone already" in boss.post(urls["marks_undo"], event, follow=True).content.decode()


@pytest.mark.parametrize("name", NAMES)
def test_roles_strangers_and_methods(client_of, bob, charlie, alice, researcher, urls, name):
    method, wrong = ("get", "post") if name == "marks" else ("post", "get")
    assert getattr(client_of(charlie), method)(urls[name]).status_code == 404
    assert getattr(client_of(bob), method)(urls[name]).status_code == 403
    manages = name in ("marks_send", "marks_undo")
    assert getattr(client_of(researcher), method)(urls[name]).status_code == (
        403 if manages else 200 if name == "marks" else 302
    )
    assert getattr(client_of(alice), method)(urls[name].replace("versions/1", "versions/9")).status_code == 404
    assert getattr(client_of(alice), wrong)(urls[name]).status_code == 405
