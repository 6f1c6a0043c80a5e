"""The page of calibration: what it waits for, what it launches, what it shows."""

import numpy as np
import pytest
from django.urls import reverse

from tests.inspector.held_out import drawn, give, make_pairs, say
from worker.models import Job
from worker.services.claim import claim
from worker.services.noise import NOISE, measure_noise
from worker.services.summary import keep

NAMES = ("calibration", "noise", "noise_stop")


@pytest.fixture
def urls(project, version):
    return {name: reverse(f"inspector:{name}", args=[project.slug, version.number]) for name in NAMES}


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def scored(project, version):
    pairs, margins = make_pairs(project, 40), np.linspace(-3, 3, 40)
    give(version, pairs, margins)
    say(project, pairs, drawn(margins))


def part(target):
    return {"HX-Request": "true", "HX-Target": target}


def test_without_scores_scoring_is_offered(client_of, alice, browser, urls, project):
    assert reverse("worker:score", args=[project.slug, 1]) in client_of(alice).get(urls["calibration"]).content.decode()
    page = browser.get(urls["calibration"]).content.decode()
    assert "No scores yet" in page
    assert "Measure rounding" in page


def test_the_page_that_waited_for_scores_shows_itself(browser, urls, scored):
    assert browser.get(urls["calibration"], headers=part("scoring"))["HX-Refresh"] == "true"


def test_without_verdicts_it_says_what_to_do(browser, urls, project, version):
    give(version, make_pairs(project, 3), np.ones(3))
    page = browser.get(urls["calibration"]).content.decode()
    assert "No held-out verdict yet" in page
    assert 'data-figure="figure"' not in page


def test_every_chart_stands_with_its_sentence(browser, urls, scored):
    answer = browser.get(urls["calibration"])
    page, report = answer.content.decode(), answer.context["report"]
    assert page.count('class="chart"') == 2
    assert report["sentence"] in page
    assert report["selective"]["sentence"] in page
    assert "This version is a single model." in page


@pytest.mark.parametrize("t", ["stored", "fitted", "1"])
def test_the_temperature_is_toggled_in_place(browser, urls, scored, t):
    page = browser.get(f"{urls['calibration']}?t={t}", headers=part("report")).content.decode()
    assert 'id="bins"' in page
    assert ("Fitted on the verdicts" in page) == (t == "fitted")
    assert "<html" not in page
    assert 'id="noise"' not in page


@pytest.mark.parametrize("t", ["2", "nan", "<b>"])
def test_no_other_temperature(browser, urls, scored, t):
    assert browser.get(urls["calibration"], {"t": t}).status_code == 404


def test_its_numbers_are_a_file(browser, urls, scored):
    found = browser.get(urls["calibration"], {"format": "json"}).json()["numbers"]
    assert found["verdicts"] == 40
    assert found["ece"].keys() == {"value", "low", "high", "n", "why"}
    assert browser.get(urls["calibration"], {"format": "csv"})["Content-Type"].startswith("text/csv")


def test_measuring_is_launched_watched_and_stopped(browser, urls, version):
    page = browser.post(urls["noise"], {"responses": "100"}, headers=part("noise")).content.decode()
    job = Job.objects.get(kind="noise")
    assert job.params == {"version": version.pk, "responses": 100}
    assert "Waiting for a worker" in page
    assert urls["noise_stop"] in page
    claim(job.pk)
    assert "Stopping…" in browser.post(urls["noise_stop"], headers=part("noise")).content.decode()
    assert Job.objects.get().cancel_requested_at


@pytest.mark.parametrize("responses", ["", "7", "x", "-100", "9" * 40])
def test_a_wrong_number_of_responses_is_told_and_launches_nothing(browser, urls, responses):
    for headers in (part("noise"), {}):
        answer = browser.post(urls["noise"], {"responses": responses}, headers=headers)
        assert answer.status_code == 422
        assert "is 100 or 500" in answer.content.decode()
    assert not Job.objects.exists()


def test_without_htmx_the_page_comes_back(browser, urls):
    for name, data in (("noise", {"responses": "500"}), ("noise_stop", {})):
        assert browser.post(urls[name], data).url == urls["calibration"]


def test_what_was_measured_and_why_it_failed_are_shown(browser, urls, version, scored):
    values = {"items": [1, 1, 2, 2], "exact": [1.0, 0.0, 2.0, 0.0], "rounded": [1.1, 0.0, 2.0, 0.0], "device": "<b>CPU"}
    keep(version=version, name=NOISE, made_of="f", values=values)
    job = measure_noise(version=version, responses=100)
    Job.objects.filter(pk=job.pk).update(state="failed", error="The file of this version is gone")
    page = browser.get(urls["calibration"]).content.decode()
    assert 'id="rounding"' in page
    assert "&lt;b&gt;CPU" in page
    assert "The file of this version is gone" in page
    assert "Measure again" in page


@pytest.mark.parametrize("name", NAMES)
def test_roles_strangers_and_methods(client_of, bob, charlie, alice, urls, name):
    method, wrong = ("get", "post") if name == "calibration" else ("post", "get")
    assert getattr(client_of(charlie), method)(urls[name]).status_code == 404
    assert getattr(client_of(bob), method)(urls[name]).status_code == 403
    assert getattr(client_of(alice), method)(urls[name].replace("versions/1", "versions/9")).status_code == 404
    assert getattr(client_of(alice), wrong)(urls[name]).status_code == 405
