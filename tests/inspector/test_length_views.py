"""The page of length: its numbers, its state in the address, its fragment, and the known world recovered on it."""

import json
import re

import numpy as np
import pytest
from django.urls import reverse

from annotate.models import Response
from annotate.services.project import create_project
from annotate.world import SCHEMA, make_world
from annotate.world.raters import RATERS
from tests.inspector.making import judge, make_item, make_version, score
from worker.services.demo import write_world


@pytest.fixture
def url(project, version):
    return reverse("inspector:length", args=[project.slug, version.number])


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def scored(version, oder, other):
    for item in (oder, other):
        first, second = item.responses.all()[:2]
        score(version, {first: 0.5, second: 1.5})
        judge(item, [[first], [second]], rater_name="Bob <b>")


def figure_of(answer, name):
    page = answer.content.decode()
    return json.loads(re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)[1])


def test_the_page_shows_its_figures_its_sentences_and_its_numbers(browser, url, scored):
    answer = browser.get(url)
    page = answer.content.decode()
    assert figure_of(answer, "figure")["data"][0]["y"] == [0.5, 1.5, 0.5, 1.5]
    assert figure_of(answer, "gains")["data"][1]["customdata"] == [2]
    assert answer.context["report"]["sentence"] in page
    assert "+0.970" in page  # within a prompt: 4 / √17
    assert "too few prompts for an interval" in page
    assert "Bob &lt;b&gt;" in page


def test_the_state_stands_in_the_address(browser, url, scored):
    page = browser.get(url, {"score": "calibrated", "old": "people", "new": "every"}).content.decode()
    for chosen in ("calibrated", "people", "every"):
        assert f'<option value="{chosen}" selected>' in page
    assert "Calibrated: what the LOWESS curve" in page


def test_a_toggle_swaps_the_report_alone(browser, url, scored):
    asked = {"HX-Request": "true", "HX-Target": "report"}
    page = browser.get(url, {"score": "calibrated"}, headers=asked).content.decode()
    assert page.lstrip().startswith('<div id="report">')
    assert "<html" not in page


@pytest.mark.parametrize(
    "wrong", [{"score": "x"}, {"old": "v9"}, {"new": "from nobody"}, {"old": "v²"}, {"new": "v" + "9" * 40}]
)
def test_what_cannot_be_chosen_is_not_found(browser, url, scored, wrong):
    assert browser.get(url, wrong).status_code == 404


def test_a_version_trained_without_length_says_so(browser, url, scored, version):
    version.recipe = {"name": "lora", "extras": {"odin": True, "length_calibration": True}}
    version.save()
    page = browser.get(url).content.decode()
    assert "a second head for length" in page
    assert "taken out already" in page
    assert "A version that scores anew keeps" in page
    assert browser.get(url, {"score": "both"}).status_code == 404


def test_the_debiased_head_is_toggled_in_place(browser, url, scored, version, oder):
    version.recipe = {"name": "heads", "extras": {"odin": True}}
    version.save()
    score(version, {r: 10.0 * (1 - n) for n, r in enumerate(oder.responses.all())}, head="length")
    score(version, dict.fromkeys(version.project.items.get(pk__gt=oder.pk).responses.all()[:2], 0.0), head="length")
    assert "“With its length head” adds it" in browser.get(url).content.decode()
    asked = {"HX-Request": "true", "HX-Target": "report"}
    answer = browser.get(url, {"score": "both"}, headers=asked)
    assert answer.content.decode().lstrip().startswith('<div id="report">')
    assert figure_of(answer, "figure")["data"][0]["y"] == [10.5, 1.5, 0.5, 1.5]
    assert "both heads together" in answer.content.decode()


def test_without_judgements_the_page_says_what_to_do(browser, url, version, oder):
    score(version, dict.fromkeys(oder.responses.all(), 1.0))
    assert "Nobody has decided a pair" in browser.get(url).content.decode()


@pytest.fixture
def known_world(alice):
    """The world with a version that scores as its raters think on average, .7 for 20 words; tokens are words."""
    project = create_project(slug="known", name="Known", schema=SCHEMA, actor=alice)
    write_world(project=project, world=make_world(questions=160, pool=1, candidates=2, open_pairs=0))
    rng, said = np.random.default_rng(3), {}
    for r in Response.objects.filter(item__project=project):
        said[r] = 1.4 * r.metadata["gold"] + 0.7 * len(r.text.split()) / 20 + rng.normal(0, 0.3)
    score(make_version(project), said)
    return reverse("inspector:length", args=[project.slug, 1])


def test_the_planted_length_bias_is_recovered_on_the_page(client_of, alice, known_world):
    answer = client_of(alice).get(known_world)
    found = answer.context["report"]
    effects = {row["name"]: row["effect"] for row in found["raters"]}
    planted = {rater.name: rater.length for rater in RATERS}
    for name, truth in (planted | {"Model": 0.7, "People": 0.7}).items():  # of all people: the mean of the three
        told = effects.get(name) or next(side["effect"] for side in found["sides"] if side["name"] == name)
        assert 0 < told.low <= truth <= told.high, name
    assert found["effects"] in answer.content.decode()


def test_other_versions_can_be_compared(browser, url, project, scored, oder):
    score(make_version(project, 2), {r: float(-n) for n, r in enumerate(oder.responses.all())})
    page = browser.get(url, {"old": "v2", "new": "v1"}).content.decode()
    assert "what version 2 chooses → what version 1 chooses" in page


def test_hostile_sources_are_escaped(browser, url, project, version):
    item = make_item(project, "Where?", "Here.", "There.")
    for n, response in enumerate(item.responses.all()):
        Response.objects.filter(pk=response.pk).update(source=f"<script>{n}</script>")
    score(version, dict.fromkeys(item.responses.all(), 1.0))
    assert "<script>0" not in browser.get(url).content.decode()
