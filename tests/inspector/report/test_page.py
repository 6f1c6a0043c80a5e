"""A version's report: gathers what the pages say, says what is missing, and comes as files."""

import json

import pytest
from django.urls import reverse

from annotate.models import Item, Role
from annotate.services.project import add_member
from inspector.report import page as report
from tests.inspector.making import explain, judge, make_pool, make_version, mark, score
from tests.worker.conftest import jsonl
from tests.worker.test_suite import REWARD_BENCH
from tests.worker.test_suite import scored as right_on
from worker.models import Backbone
from worker.services.noise import NOISE
from worker.services.suite import import_suite
from worker.services.summary import keep

ACCURACY = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 90}


@pytest.fixture
def url(project, version):
    return reverse("inspector:report", args=[project.slug, version.number])


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def measured(version):
    """What its training measured and left out."""
    version.metrics = {"pair_accuracy": ACCURACY, "baselines": {"longer_wins": ACCURACY | {"value": 0.65}}}
    version.metrics |= {"ceiling": ACCURACY | {"value": 0.9, "high": 0.95}, "truncated": 3}
    version.recipe = {"name": "heads", "preference": {"objective": "rao_kupper"}}
    version.save()
    version.snapshot.counts = {"used": 120, "tied": 7, "dropped": {"identical_texts": 4}, "comparisons": {"test": 90}}
    version.snapshot.save()


@pytest.fixture
def scored(version, oder, other):
    for item in (oder, other):
        first, second = item.responses.all()[:2]
        score(version, {first: 0.5, second: 1.5})
        judge(item, [[first], [second]], rater_name="Bob <b>")
    make_pool(version.project, version, {f"p{i}": [(float(i + j), float(j)) for j in range(4)] for i in range(6)})


def test_a_report_gathers_every_pages_sentence_figure_and_link(browser, url, measured, scored):
    answer = browser.get(url)
    page = answer.content.decode()
    assert "It agrees with people on 70.0 % (60.0–80.0) of 90 held-out pairs" in page
    for one in answer.context["sections"]:
        assert f'<section id="{one.room}"' in page
        assert one.sentences or one.missing
        assert (f'data-figure="figure-{one.room}"' in page) == bool(one.figure)
    assert f'href="{url.replace("/report/", "/length/")}"' in page
    assert "Bob &lt;b&gt;" in page


def test_it_says_where_it_comes_from_and_what_was_left_out(browser, url, version, measured, scored):
    Backbone.objects.create(
        name="m", source="minilm", causal=False, architecture="B", parameters=1, width=1, layers=1, context_length=9,
        sha256="b" * 64,
    )  # fmt: skip
    page = browser.get(url).content.decode()
    for text in (version.file_sha256, version.encode_hash, version.snapshot.sha256, "b" * 64):
        assert text in page
    assert "preference.objective rao_kupper" in page
    assert "Left out: identical texts" in page
    assert "4 judgements were left out" in page
    assert "3 responses were longer than the model reads" in page


def test_what_is_missing_says_what_to_do(browser, url, scored):
    page = browser.get(url).content.decode()
    assert "No held-out pair was decided." in page
    assert "Open the page once: a worker then counts" in page
    assert "Nobody has judged a held-out pair" in page
    assert "Let a worker explain the marked responses" in page
    assert "There is no other version" in page


def test_what_was_explained_held_out_and_trained_since_is_in_it(client_of, alice, url, version, scored, oder):
    before = make_version(version.project, 2)
    score(before, dict.fromkeys(oder.responses.all(), -0.5))
    Item.objects.update(split="test")
    first, second = oder.responses.all()[:2]
    mark(judge(oder, [[first], [second]]), second, "North")
    explain(version, second, North=-0.4)
    sections = {one.room: one for one in client_of(alice).get(url).context["sections"]}
    assert sections["marks"].sentences[0].startswith("By “preference”, explained by “exact”")
    assert sections["slices"].numbers[0].value.n == 2
    assert sections["changed"].sentences[0].startswith("Since version 2:")
    assert sections["calibration"].sentences[3].startswith("Its most confident 20 % of verdicts are right in")


def test_suites_and_rounding_are_in_it(browser, url, version, scored, oder):
    suite = import_suite(project=version.project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    right_on(version, suite, 1, 1, 1, 0, 1, 1)
    noise = {"items": [1, 1], "exact": [0.5, 1.5], "rounded": [0.51, 1.5], "device": "CPU"}
    keep(version=version, name=NOISE, made_of=version.file_sha256, values=noise)
    sections = {one.room: one for one in browser.get(url).context["sections"]}
    assert sections["slices"].sentences[0].startswith("On the suite “core”: ")
    assert {one.label: one.value.value for one in sections["slices"].numbers} == {"Suite core": pytest.approx(5 / 6)}
    assert sections["calibration"].missing  # nobody judged a held-out pair
    Item.objects.update(split="test")
    judge(oder, [[one] for one in oder.responses.all()])
    sections = {one.room: one for one in browser.get(url).context["sections"]}
    assert [one.label for one in sections["slices"].numbers][-1] == "Suite core"
    assert sections["calibration"].sentences[-1].startswith("With its backbone in bfloat16 a score moves by")
    assert sections["calibration"].numbers[-1].label == "A score moves in bfloat16 by, sd"


def test_a_version_without_scores_says_so_and_still_tells_what_training_measured(browser, url, measured):
    page = browser.get(url).content.decode()
    assert "has scored nothing yet" in page
    assert "70.0 %" in page
    assert 'id="length"' not in page


def test_its_numbers_come_as_files(browser, url, measured, scored):
    found = json.loads(browser.get(url, {"format": "json"}).content)["numbers"]
    assert found["version"]["numbers"]["This version"]["value"] == 0.7
    assert found["about"]["judgements used"] == 120
    assert found["length"]["sentences"]
    assert "django" in found["software"]
    assert browser.get(url, {"format": "csv"})["Content-Type"].startswith("text/csv")
    assert browser.get(url, {"format": "pdf"}).status_code == 404


@pytest.mark.parametrize("format", ["", "?format=json"])
def test_it_is_for_researchers(client_of, person, project, url, format):
    annotator = person("dora")
    add_member(project=project, user=annotator, role=Role.ANNOTATOR)
    assert client_of(annotator).get(url + format).status_code == 403
    assert client_of(person("stranger")).get(url + format).status_code == 404


def test_it_is_only_read(client_of, alice, url):
    assert client_of(alice).post(url).status_code == 405


def test_a_package_that_is_not_there_is_not_told(monkeypatch):
    monkeypatch.setattr(report, "SOFTWARE", ("django", "no-such-package-at-all"))
    assert list(report.software()) == ["python", "django"]
