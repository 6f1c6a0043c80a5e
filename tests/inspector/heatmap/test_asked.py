"""Which methods are there, under way, or not to be had; what is asked of a worker, and how it is stopped."""

import pytest
from django.urls import reverse

from tests.inspector.making import explain
from worker.models import Job
from worker.models.job import JobState

HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def to(project, version):
    return lambda name: reverse(f"inspector:{name}", args=[project.slug, version.number])


@pytest.fixture
def told(version, oder):
    return [explain(version, response) for response in oder.responses.all()]


def states(answer):
    found = {one.key: one for one in answer.context["methods"]}
    return {key: [n for n in ("there", "waiting", "failed", "open") if getattr(one, n)] for key, one in found.items()}


def test_a_method_is_there_under_way_failed_or_open(browser, to, oder, told):
    browser.post(to("explain"), {"item": oder.pk, "methods": ["ig", "loo", "exact"], "mode": "methods"})
    browser.post(to("explain"), {"item": oder.pk, "methods": ["grad"]})
    Job.objects.filter(params__methods=["grad"]).update(state=JobState.FAILED)
    found = states(browser.get(to("heatmap")))
    assert (found["exact"], found["ig"], found["loo"]) == (["there"], ["waiting"], ["waiting"])
    assert (found["grad"], found["abc"]) == (["failed", "open"], ["open"])
    assert Job.objects.filter(params__methods=["ig", "loo"]).count() == 1


def test_asking_again_asks_only_for_what_is_missing(browser, to, oder):
    for methods in (["exact"], ["exact", "ig"], ["ig"]):
        browser.post(to("explain"), {"item": oder.pk, "methods": methods})
    assert [job.params["methods"] for job in Job.objects.order_by("pk")] == [["exact"], ["ig"]]


def test_what_cannot_be_had_says_why_and_is_not_asked_for(browser, to, oder, told):
    browser.post(to("explain"), {"item": oder.pk, "methods": ["prefix", "ig"]})
    left_out = [{"head": "preference", "method": "prefix", "why": "The backbone reads both ways."}]
    Job.objects.update(state=JobState.DONE, result={"left_out": left_out})
    page = browser.get(to("heatmap"), {"method": "prefix"}).content.decode()
    assert "The backbone reads both ways." in page
    assert "Choose another method: <a" in page
    browser.post(to("explain"), {"item": oder.pk, "methods": ["prefix"]})
    assert Job.objects.count() == 1


def test_a_job_on_both_responses_is_waited_for_by_the_view_of_one(browser, to, oder):
    browser.post(to("explain"), {"item": oder.pk})
    assert states(browser.get(to("heatmap"), {"mode": "one"}))["exact"] == ["waiting"]
    assert states(browser.get(to("heatmap"), {"head": "segment:wrong"}))["exact"] == ["open"]


def test_the_page_looks_at_the_progress_alone_until_there_is_something_new(browser, to, version, oder, told):
    asked = {"item": oder.pk, "mode": "methods", "method": "exact"}
    browser.post(to("explain"), asked | {"methods": ["ig"]})
    here = browser.get(to("heatmap"), asked).context["waiting_id"]
    poll = {"HX-Request": "true", "HX-Target": here}
    quiet = browser.get(to("heatmap"), asked, headers=poll)
    assert quiet.content.decode().strip().startswith(f'<div class="card" id="{here}"')
    for response in oder.responses.all():
        explain(version, response, method="ig")
    news = browser.get(to("heatmap"), asked, headers=poll)
    assert (news["HX-Retarget"], news["HX-Reswap"]) == ("#map", "outerHTML")
    assert news.context["map"].keys == ("exact", "ig")


def test_whoever_waits_can_cancel(browser, to, oder):
    asked = {"item": oder.pk}
    browser.post(to("explain"), asked)
    assert to("explain_stop") in browser.get(to("heatmap"), asked).content.decode()
    page = browser.post(to("explain_stop"), asked, headers=HTMX).content.decode()
    assert Job.objects.get().state == JobState.CANCELLED
    assert "Try again" in page
    assert browser.post(to("explain_stop"), asked).status_code == 302
