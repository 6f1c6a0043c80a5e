"""The page of what changed: what it holds a version against, how its pairs are shown and turned over."""

import numpy as np
import pytest
from django.urls import reverse

from annotate.models import Response
from tests.inspector.held_out import give, make_pairs, say
from tests.inspector.making import make_version

N = 50


@pytest.fixture
def url(project, version):
    return reverse("inspector:changed", args=[project.slug, 2])


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def newer(project, version):
    return make_version(project, 2)


@pytest.fixture
def scored(project, version, newer):
    """All pairs have turned; of the first half the new version is right, of the second people said nothing."""
    pairs = make_pairs(project, N)
    give(version, pairs, -np.ones(N))
    give(newer, pairs, 1 + np.arange(N) / N)
    say(project, pairs[: N // 2], np.ones(N // 2))
    return pairs


def part(target):
    return {"HX-Request": "true", "HX-Target": target}


def test_an_only_version_has_nothing_to_be_held_against(browser, project, version):
    page = browser.get(reverse("inspector:changed", args=[project.slug, 1])).content.decode()
    assert "Only one version so far" in page


def test_without_scores_they_are_asked_for(client_of, alice, url, project, version, newer):
    assert "has none yet" in client_of(alice).get(url).content.decode()
    give(version, make_pairs(project, 3), np.ones(3))
    page = client_of(alice).get(url).content.decode()
    assert reverse("worker:score", args=[project.slug, 2]) in page
    assert 'id="counts"' in page


def test_everything_stands_in_the_page_with_its_sentences(browser, url, scored):
    answer = browser.get(url)
    page, report = answer.content.decode(), answer.context["report"]
    for name in ("sentence", "flip_words", "order_words", "scale_words"):
        assert report["scores"][name] in page.replace("&#x27;", "'")
    assert report["recipe_words"] in page
    assert page.count('class="chart"') == 1
    assert page.count("?item=") == 1 + 2 * 20  # the chart, and two heat-maps for each pair


def test_the_page_that_waited_for_scores_shows_itself(browser, url, scored):
    assert browser.get(url, headers=part("scoring"))["HX-Refresh"] == "true"


@pytest.mark.parametrize(("kind", "pairs"), [("all", 50), ("better", 25), ("worse", 0), ("unjudged", 25)])
def test_pairs_are_picked_by_what_people_said(browser, url, scored, kind, pairs):
    answer = browser.get(url, {"kind": kind}, headers=part("flips"))
    page = answer.content.decode()
    assert answer.context["listed"] == pairs
    assert "<html" not in page
    assert 'id="matrix"' not in page
    assert ("No pair of this kind" in page) == (pairs == 0)


def test_pairs_are_turned_over_page_by_page(browser, url, scored):
    last = browser.get(url, {"page": "3", "kind": "all"})
    assert len(last.context["rows"]) == 10
    assert last.context["rows"][-1]["now"] == scored[0, 0]


def test_another_version_is_chosen_in_place(browser, url, project, scored):
    third = make_version(project, 3)
    give(third, scored, np.ones(N))
    page = browser.get(url, {"against": "3"}, headers=part("report")).content.decode()
    assert "No pair has turned." in page
    assert "<html" not in page


@pytest.mark.parametrize(
    "wrong", [{"against": "2"}, {"against": "9"}, {"against": "x"}, {"kind": "b"}, {"format": "pdf"}]
)
def test_what_there_is_not(browser, url, scored, wrong):
    assert browser.get(url, wrong).status_code == 404


def test_its_numbers_are_a_file(browser, url, scored):
    found = browser.get(url, {"format": "json"}).json()["numbers"]
    assert found["scores"]["flips"]["counts"]["all"] == N
    assert browser.get(url, {"format": "csv"})["Content-Disposition"].endswith('changed-v2-v1.csv"')


def test_texts_are_hostile(browser, url, scored):
    Response.objects.filter(pk=scored[49, 0]).update(text="<script>x</script>")
    page = browser.get(url).content.decode()
    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page


def test_roles_strangers_and_methods(client_of, bob, charlie, alice, url, scored):
    assert client_of(charlie).get(url).status_code == 404
    assert client_of(bob).get(url).status_code == 403
    assert client_of(alice).get(url.replace("versions/2", "versions/9")).status_code == 404
    assert client_of(alice).post(url).status_code == 405
