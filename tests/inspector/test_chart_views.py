"""The pages of length and drift."""

import pytest
from django.urls import reverse

from tests.inspector.making import judge, make_pool, score
from worker.services.columns import keep_columns
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


def test_length_without_scores_offers_scoring(client_of, alice, researcher, urls, project):
    button = reverse("worker:score", args=[project.slug, 1])
    assert button in client_of(alice).get(urls["length"]).content.decode()
    page = client_of(researcher).get(urls["length"]).content.decode()
    assert "No scores yet" in page
    assert button not in page


@pytest.mark.parametrize("name", ["length", "drift"])
def test_a_page_waits_for_the_scoring_and_then_reloads(browser, urls, project, version, oder, name):
    pool = make_pool(project, version, {"p": [(1.0, 1.0), (2.0, 2.0)]})
    version.pool_columns.all().delete()
    job = launch(project=project, kind="score", params={"version": version.pk})
    page = browser.get(urls[name]).content.decode()
    assert f"Job {job.pk}</a> is scoring now" in page
    assert 'hx-trigger="every 2s"' in page
    assert "HX-Refresh" not in browser.get(urls[name], headers={"HX-Request": "true"})
    score(version, dict.fromkeys(oder.responses.all(), 0.5))
    keep_columns(pool=pool, version=version, columns={"preference": [1.0, 2.0]})
    assert browser.get(urls[name], headers={"HX-Request": "true"})["HX-Refresh"] == "true"


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
