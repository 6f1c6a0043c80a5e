"""Every page gives its numbers as files, under the page's own permissions, and links to them."""

import csv
import io
import json
import re
from html import unescape

import pytest
from django.http import QueryDict
from django.urls import reverse

from annotate.models import Item, Judgement, Role
from annotate.services.agreement import refresh
from annotate.services.project import add_member
from annotate.services.tally import count_some
from tests.inspector.making import explain, judge, make_pool, make_version, mark, score
from tests.worker.conftest import jsonl
from tests.worker.test_suite import REWARD_BENCH, scored
from worker.models import Surface
from worker.services.columns import keep_columns
from worker.services.suite import import_suite
from worker.surface import counts

OF_VERSION = (
    "length",
    "surface",
    "drift",
    "best_of_n",
    "slices",
    "calibration",
    "changed",
    "marks",
    "beside",
    "report",
    "heatmap",
)
OF_PROJECT = ("agreement", "disputes", "raters", "drift_of_pools", "leaderboard")
PAGES = OF_VERSION + OF_PROJECT
CHOSEN = {  # what a page chooses by itself, and another day may choose otherwise
    "drift": ("pool", "proxy", "gold"),
    "best_of_n": ("pool", "n"),
    "changed": ("against",),
    "marks": ("head", "method", "truth", "prompts"),
    "heatmap": ("item", "a", "b", "head", "method"),
    "drift_of_pools": ("pool", "proxy", "gold"),
    "leaderboard": ("suite",),
}
ALWAYS = ("disputes", "report")  # no dispute is an answer; what is missing is told as well


@pytest.fixture
def address(project, version):
    def of(page):
        return reverse(f"inspector:{page}", args=[project.slug, *([1] if page in OF_VERSION else [])])

    return of


@pytest.fixture
def judged(project, version, oder, other):
    """Scores of two versions, verdicts of two people who disagree once, surfaces, explained marks, and a pool."""
    Item.objects.update(split="test")
    score(make_version(project, 2), dict.fromkeys(oder.responses.all(), 1.0))
    for number, item in enumerate((oder, other)):
        first, second = item.responses.all()[:2]
        score(version, {first: 0.5, second: 1.5})
        for name in ("Bob", "Charlie"):
            judge(item, [[second], [first]] if number and name == "Bob" else [[first], [second]], rater_name=name)
        Surface.objects.bulk_create(Surface(response=one, **counts(one.text)) for one in item.responses.all())
    pool = make_pool(project, version, {f"p{i}": [(float(i + j), float(j)) for j in range(4)] for i in range(6)})
    keep_columns(pool=pool, columns={"length": [float(j % 4) for j in range(24)]})
    mark(Judgement.objects.first(), second := oder.responses.all()[1], "North")
    for response in oder.responses.all():
        explain(version, response, North=-0.4)
    scored(
        version, import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench"), *[1] * 6
    )
    count_some(project=project)
    refresh(project=project, seconds=9)


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_gives_its_numbers_as_csv_and_json(browser, address, judged, page):
    table, found = (browser.get(address(page), {"format": format}) for format in ("csv", "json"))
    assert (table.status_code, found.status_code) == (200, 200)
    assert len(list(csv.DictReader(io.StringIO(table.content.decode())))) > 3
    assert json.loads(found.content)["numbers"]


@pytest.mark.parametrize("page", PAGES)
def test_a_format_that_is_none_is_not_found(browser, address, judged, page):
    assert browser.get(address(page), {"format": "xlsx"}).status_code == 404


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ALWAYS])
def test_a_page_without_numbers_gives_no_file(browser, address, page):
    assert browser.get(address(page), {"format": "csv"}).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_files_are_for_those_who_may_see_the_page(client_of, person, project, address, judged, page):
    annotator = person("dora")
    add_member(project=project, user=annotator, role=Role.ANNOTATOR)
    for user, status in ((person("stranger"), 404), (annotator, 403)):
        assert client_of(user).get(address(page), {"format": "csv"}).status_code == status


def links(answer):
    """The addresses of the files and of the page that it offers, as what they ask for."""
    found = re.findall(
        r'(?:href|data-link)="\?([^"]*)"', answer.content.decode().split('aria-label="Keep and share"')[1]
    )
    return [QueryDict(unescape(query)).dict() for query in found[:3]]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_links_to_itself_and_its_files_with_its_state(browser, address, judged, page):
    table, numbers, itself = links(browser.get(address(page), {"x": "kl"}))
    assert itself["x"] == "kl"
    assert (table, numbers) == (itself | {"format": "csv"}, itself | {"format": "json"})


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_chose_by_itself_stays_in_its_link(browser, address, judged, page):
    _, _, itself = links(browser.get(address(page)))
    assert tuple(itself) == CHOSEN.get(page, ())
    assert links(browser.get(address(page), itself))[2] == itself
    told = json.loads(browser.get(address(page), itself | {"format": "json"}).content)
    assert all(name in told["provenance"]["address"] for name in itself)


def test_an_older_pool_does_not_change_what_a_link_shows(browser, address, judged, project, version):
    link = links(browser.get(address("best_of_n")))[2]
    make_pool(project, version, {"q": [(1.0, 5.0), (0.0, 1.0)]})
    project.pools.filter(name="pool 2").update(name="a pool")
    assert browser.get(address("best_of_n")).context["asked"].pool.name == "a pool"
    assert browser.get(address("best_of_n"), link).context["asked"].pool.name == "pool 1"


def test_the_file_follows_the_two_raters_who_were_chosen_in_place(browser, address, judged):
    asked = {"first": "name:Bob", "second": "name:Charlie"}
    table, _, itself = links(browser.get(address("raters"), asked, headers={"HX-Request": "true"}))
    assert itself == asked
    numbers = json.loads(browser.get(address("raters"), table | {"format": "json"}).content)["numbers"]
    assert numbers["two"]["cohen"]["n"] == 2


def test_the_numbers_are_those_of_the_page(browser, address, judged):
    numbers = json.loads(browser.get(address("length"), {"format": "json"}).content)["numbers"]
    assert numbers["sides"][0]["correlations"][2]["value"] == pytest.approx(4 / 17**0.5)
    assert numbers["sentence"] in browser.get(address("length")).content.decode()
    assert [row["y"] for row in numbers["figure"][:2]] == [0.5, 1.5]
