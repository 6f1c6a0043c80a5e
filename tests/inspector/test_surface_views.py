"""The page of surface features: what it waits for, what it launches, what it shows."""

import pytest
from django.urls import reverse

from annotate.models import Response
from tests.inspector.making import judge, make_item, score
from worker.models import Job, Probe, Surface
from worker.services.claim import claim
from worker.services.job import run_now
from worker.services.probe import count_surface, probe


@pytest.fixture
def urls(project, version):
    names = ("surface", "surface_count", "probe", "probe_stop")
    return {name: reverse(f"inspector:{name}", args=[project.slug, version.number]) for name in names}


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def scored(version, oder, other):
    for item in (oder, other):
        first, second = item.responses.all()[:2]
        score(version, {first: 0.5, second: 1.5})
        judge(item, [[first], [second]])


@pytest.fixture
def probed(version, oder):
    a, b = oder.responses.all()
    rows = [(a, "same", 1.0), (b, "same", 2.0), (a, "padding", 3.0)]
    Probe.objects.bulk_create(Probe(version=version, response=r, swap=s, before=0.0, after=v) for r, s, v in rows)


def part(target):
    return {"HX-Request": "true", "HX-Target": target}


def test_without_scores_scoring_is_offered(client_of, alice, browser, urls, project):
    assert reverse("worker:score", args=[project.slug, 1]) in client_of(alice).get(urls["surface"]).content.decode()
    assert "No scores yet" in browser.get(urls["surface"]).content.decode()


def test_the_page_that_waited_for_scores_shows_itself(browser, urls, scored):
    assert browser.get(urls["surface"], headers=part("scoring"))["HX-Refresh"] == "true"


def test_what_is_not_counted_is_asked_for_once_and_then_shown(browser, urls, scored):
    assert 'hx-trigger="load, submit"' in browser.get(urls["surface"]).content.decode()
    for _ in range(2):
        waiting = browser.post(urls["surface_count"], headers=part("report")).content.decode()
        assert "Waiting for a worker" in waiting
        assert "<html" not in waiting
    run_now(Job.objects.get())
    shown = browser.get(urls["surface"], headers=part("report")).content.decode()
    assert 'id="matrix"' in shown
    assert "Waiting" not in shown


def test_a_count_that_failed_is_not_asked_for_by_itself(browser, urls, project, scored):
    job = count_surface(project=project)
    Job.objects.filter(pk=job.pk).update(state="failed", error="The disk is full.")
    page = browser.get(urls["surface"]).content.decode()
    assert "The disk is full." in page
    assert 'hx-trigger="load' not in page


def test_without_htmx_the_page_comes_back(browser, urls, scored):
    for name, data in (("surface_count", {}), ("probe", {"prompts": "50"}), ("probe_stop", {})):
        assert browser.post(urls[name], data).url == urls["surface"]


def test_the_matrix_stands_in_the_page_with_its_sentence(browser, urls, project, scored):
    run_now(count_surface(project=project))
    answer = browser.get(urls["surface"])
    page = answer.content.decode()
    assert answer.context["report"]["sentence"] in page.replace("&#x27;", "'")
    assert page.count('<th scope="row">') >= 3
    assert "after Holm’s correction for the" in page


def test_probing_is_launched_watched_and_stopped(browser, urls, version):
    page = browser.post(urls["probe"], {"prompts": "200"}, headers=part("probes")).content.decode()
    job = Job.objects.get(kind="probe")
    assert job.params == {"version": version.pk, "prompts": 200}
    assert "Waiting for a worker" in page
    assert urls["probe_stop"] in page
    claim(job.pk)
    assert "Stopping…" in browser.post(urls["probe_stop"], headers=part("probes")).content.decode()
    job.refresh_from_db()
    assert job.cancel_requested_at


@pytest.mark.parametrize("prompts", ["", "7", "x", "-50", "²00", "9" * 40])
def test_a_wrong_number_of_prompts_is_told_and_launches_nothing(browser, urls, prompts):
    for headers in (part("probes"), {}):
        answer = browser.post(urls["probe"], {"prompts": prompts}, headers=headers)
        assert answer.status_code == 422
        assert "is one of 50, 200, 1000" in answer.content.decode()
    assert not Job.objects.exists()


def test_probes_are_shown_with_the_pairs_that_turned(browser, urls, probed, oder):
    page = browser.get(urls["surface"]).content.decode()
    a, b = oder.responses.all()
    assert 'data-figure="probe-figure"' in page
    assert "100.0 %" in page
    assert f"?item={oder.pk}&amp;a={a.pk}&amp;b={b.pk}" in page
    assert "Probe again" in page


def test_while_it_probes_again_the_old_results_wait(browser, urls, version, probed):
    probe(version=version, prompts=50)
    page = browser.get(urls["surface"], headers=part("probes")).content.decode()
    assert "Probing." in page
    assert "probe-figure" not in page


def test_why_a_probing_failed_is_shown(browser, urls, version):
    job = probe(version=version, prompts=50)
    Job.objects.filter(pk=job.pk).update(state="failed", error="The file of this version is gone")
    assert "The file of this version is gone" in browser.get(urls["surface"]).content.decode()


def test_sources_are_hostile_text(browser, urls, project, version):
    for number in range(4):
        item = make_item(project, f"question {number}", "Here.", "There, **now**.")
        score(version, {r: float(n) for n, r in enumerate(item.responses.all())})
    for n in range(2):
        Response.objects.filter(index=n).update(source=f"<script>{n}</script>")
    run_now(count_surface(project=project))
    page = browser.get(urls["surface"]).content.decode()
    assert "written by &lt;script&gt;0" in page
    assert "<script>0" not in page


@pytest.mark.parametrize("name", ["surface", "surface_count", "probe", "probe_stop"])
def test_roles_strangers_and_methods(client_of, bob, charlie, alice, urls, name):
    method, wrong = ("get", "post") if name == "surface" else ("post", "get")
    assert getattr(client_of(charlie), method)(urls[name]).status_code == 404
    assert getattr(client_of(bob), method)(urls[name]).status_code == 403
    assert getattr(client_of(alice), method)(urls[name].replace("versions/1", "versions/9")).status_code == 404
    assert getattr(client_of(alice), wrong)(urls[name]).status_code == 405
    assert not Surface.objects.exists()
