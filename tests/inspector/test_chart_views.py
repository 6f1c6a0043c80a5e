"""The pages of length and drift."""

import json
import re

import pytest
from django.urls import reverse

from annotate.services.project import create_project
from tests.inspector.making import judge, make_pool, make_version, score
from worker.models import Candidate, CandidateScore
from worker.services.job import launch


@pytest.fixture
def urls(project, version):
    return {name: reverse(f"inspector:{name}", args=[project.slug, version.number]) for name in ("length", "drift")}


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
def pool(project, version):
    values = [(float(i), float(10 - abs(i - 10))) for i in range(16)]
    return make_pool(project, version, {"p": values, "q": values[::-1]})


def figure_of(answer):
    """The figure in the page, with the id that the chart names."""
    page = answer.content.decode()
    name = re.search(r'data-figure="([^"]+)"', page)[1]
    return json.loads(re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)[1])


def test_length_without_scores_offers_scoring(client_of, alice, researcher, urls, project):
    button = reverse("worker:score", args=[project.slug, 1])
    assert button in client_of(alice).get(urls["length"]).content.decode()
    page = client_of(researcher).get(urls["length"]).content.decode()
    assert "No scores yet" in page
    assert button not in page


@pytest.mark.parametrize("name", ["length", "drift"])
def test_a_page_waits_for_the_scoring_and_then_reloads(browser, urls, project, version, oder, name):
    make_pool(project, version, {"p": [(1.0, 1.0), (2.0, 2.0)]})
    CandidateScore.objects.all().delete()
    job = launch(project=project, kind="score", params={"version": version.pk})
    page = browser.get(urls[name]).content.decode()
    assert f"Job {job.pk}</a> is scoring now" in page
    assert 'hx-trigger="every 2s"' in page
    assert "HX-Refresh" not in browser.get(urls[name], headers={"HX-Request": "true"})
    score(version, dict.fromkeys(oder.responses.all(), 0.5))
    for candidate in Candidate.objects.all():
        CandidateScore.objects.create(version=version, candidate=candidate, head="preference", value=1.0)
    assert browser.get(urls[name], headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_drift_shows_its_figure_its_fits_and_its_table(browser, urls, pool):
    answer = browser.get(urls["drift"])
    names = [trace.get("name") for trace in figure_of(answer)["data"]]
    assert {"proxy", "gold", "fit d(α − βd)", "fit d(α − β ln d)"} <= set(names)
    assert answer.context["report"].sentence in answer.content.decode()
    assert [point.n for point in answer.context["points"]] == [1, 2, 3, 4, 6, 8, 12, 16]


def test_drift_over_kl(browser, urls, pool):
    assert "KL" in figure_of(browser.get(urls["drift"], {"x": "kl"}))["layout"]["xaxis"]["title"]["text"]


def test_drift_of_a_chosen_pool(browser, urls, project, pool):
    other = make_pool(project, make_version(project, 2), {"p": [(1.0, 2.0)]})
    answer = browser.get(urls["drift"], {"pool": other.pk})
    assert answer.context["report"].pool == other
    assert b"has not scored the pool" in answer.content


def test_drift_without_a_pool_says_how_to_add_one(browser, urls):
    assert b"manage.py import_pool answers" in browser.get(urls["drift"]).content


def test_drift_of_a_flat_pool_says_why_there_is_no_curve(browser, urls, project, version):
    make_pool(project, version, {"p": [(1.0, 1.0), (1.0, 2.0)]})
    assert b"same score" in browser.get(urls["drift"]).content


@pytest.mark.parametrize("wrong", [{"pool": "999"}, {"pool": "x"}, {"x": "n"}])
def test_drift_of_what_does_not_exist(browser, urls, pool, wrong):
    assert browser.get(urls["drift"], wrong).status_code == 404


def test_a_pool_of_another_project_is_not_found(browser, urls, alice, pool):
    project = create_project(slug="else", name="Else", actor=alice)
    foreign = make_pool(project, make_version(project), {"p": [(1.0, 1.0)]})
    assert browser.get(urls["drift"], {"pool": foreign.pk}).status_code == 404


@pytest.mark.parametrize("name", ["length", "drift"])
def test_roles_strangers_and_methods(client_of, bob, charlie, alice, urls, name):
    assert client_of(charlie).get(urls[name]).status_code == 404
    assert client_of(bob).get(urls[name]).status_code == 403
    assert client_of(alice).get(urls[name].replace("versions/1", "versions/9")).status_code == 404
    assert client_of(alice).post(urls[name]).status_code == 405
    assert client_of(alice).get(urls[name]).status_code == 200


@pytest.mark.parametrize("name", ["length", "drift"])
def test_the_rooms_of_a_version_are_linked_from_each_other(browser, urls, project, name):
    page = browser.get(urls[name]).content.decode()
    rooms = ("inspector:heatmap", "inspector:length", "inspector:drift", "worker:version")
    assert all(f'href="{reverse(room, args=[project.slug, 1])}"' in page for room in rooms)
