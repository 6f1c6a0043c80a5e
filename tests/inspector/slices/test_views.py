"""The pages of slices and of the leaderboard: what they show, their state in the address, their files."""

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.inspector.making import judge, make_version, score
from tests.inspector.slices.test_page import held_out
from tests.worker.conftest import jsonl
from tests.worker.test_suite import REWARD_BENCH, SECOND, scored, values
from worker.services.suite import import_suite
from worker.services.version import promote

HOSTILE = {"prompt": "<script>alert(1)</script>", "chosen": "<i>a</i>", "rejected": "<b>b</b>", "subset": "<u>"}


@pytest.fixture
def url(project, version):
    return reverse("inspector:slices", args=[project.slug, version.number])


@pytest.fixture
def browser(client_of, researcher):
    return client_of(researcher)


@pytest.fixture
def thirty(project, version):
    """The version is wrong on maths."""
    made = []
    for n in range(30):
        item, a, b = held_out(project, n, "maths" if n < 8 else "sums")
        score(version, {a: 0.0 if n < 8 else 1.0, b: 0.5})
        judge(item, [[a], [b]], rater_name="Bob <b>")
        made.append((item, a, b))
    return made


@pytest.fixture
def suite(project):
    return import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")


def page_of(browser, url, **asked):
    answer = browser.get(url, asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_shows_slices_and_what_is_wrong_with_links_to_heat_maps(browser, url, thirty):
    page = page_of(browser, url)
    item, a, b = thirty[0]
    assert "73.3 %" in page
    assert "surely weaker" in page
    assert f"heatmap/?item={item.pk}&amp;a={a.pk}&amp;b={b.pk}" in page
    assert "Bob &lt;b&gt;" in page
    assert "8 are not right" in page


def test_a_slice_shows_its_own_failing_pairs(browser, url, thirty):
    assert "Nothing is wrong here" in page_of(browser, url, slice="Category: sums")
    page = page_of(browser, url, slice="Category: maths")
    assert "Wrong on Category: maths" in page
    assert page.count("heatmap/?item=") == 8


def test_failing_pairs_come_a_page_at_a_time(browser, url, thirty, monkeypatch):
    monkeypatch.setattr("inspector.views.slices.PAGE", 5)
    page = page_of(browser, url, page="2", slice="Category: maths")
    assert "page 2 of 2" in page
    assert page.count("heatmap/?item=") == 3
    assert "slice=Category" in page  # the way back keeps the choice


def test_another_version_stands_beside_it(browser, url, project, thirty):
    score(make_version(project, 2), {r: float(n) for _, a, b in thirty for n, r in enumerate((b, a))})
    page = page_of(browser, url, against="2")
    assert "Against version 2: −26.7 points" in page
    assert "Less version 2" in page
    assert "Version 3 has not scored these pairs" in page_of(
        browser, url, against=str(make_version(project, 3).number)
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [{"on": "x"}, {"on": "77"}, {"against": "1"}, {"against": "²"}, {"slice": "None: x"}])
def test_what_cannot_be_chosen_is_not_found(browser, url, thirty, wrong):
    assert browser.get(url, wrong).status_code == 404


def test_a_choice_swaps_the_report_alone(browser, url, thirty):
    asked = {"HX-Request": "true", "HX-Target": "report"}
    page = browser.get(url, headers=asked).content.decode()
    assert page.lstrip().startswith('<div id="report">')
    waiting = browser.get(url, headers=asked | {"HX-Target": "scoring"})
    assert waiting["HX-Refresh"] == "true"


def test_the_numbers_come_as_files_and_other_formats_do_not(browser, url, thirty):
    found = json.loads(browser.get(url, {"format": "json"}).content)["numbers"]
    assert found["whole"]["accuracy"]["n"] == 30
    rows = list(csv.DictReader(io.StringIO(browser.get(url, {"format": "csv"}).content.decode())))
    assert any(row["text"] == "Category: maths" for row in rows)
    assert browser.get(url, {"format": "xml"}).status_code == 404


def test_empty_pages_say_what_to_do(browser, url, project, version, suite):
    assert "No scores yet" in page_of(browser, url)
    assert "Not measured on core" in page_of(browser, url, on=str(suite.pk))
    _, a, b = held_out(project, 1)
    score(version, {a: 1.0, b: 0.0})
    assert "No decided pair" in page_of(browser, url)


def test_a_suite_shows_its_texts_escaped(browser, url, project, version):
    suite = import_suite(project=project, name="<em>", file=jsonl(HOSTILE, *SECOND), format="reward-bench")
    scored(version, suite, 0)
    values(version, suite, **{"3": 2.0})
    page = page_of(browser, url, on=str(suite.pk))
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;i&gt;a&lt;/i&gt;" in page
    assert "What is 1 + 1?" in page
    assert "<em>" not in page


# ---- Leaderboard


@pytest.fixture
def board(project):
    return reverse("inspector:leaderboard", args=[project.slug])


@pytest.fixture
def measured(project, suite):
    """The first version is promoted; the second is better."""
    one, two = make_version(project, 1), make_version(project, 2)
    scored(one, suite, 1, 1, 1, 0, 0, 0)
    scored(two, suite, 1, 1, 1, 1, 1, 0)
    promote(version=one)
    return one, two


def numbers(answer):
    return [row["number"] for row in answer.context["report"]["rows"]]


def test_the_best_stands_first_beside_the_promoted_one(browser, board, measured):
    answer = browser.get(board)
    page = answer.content.decode()
    assert numbers(answer) == [2, 1]
    assert answer.context["report"]["rows"][0]["against"]["accuracy"]["won"] == 2
    assert "+33.3 points, p 0.500" in page
    assert "not surely more than the promoted version: +33.3 points, p = 0.5" in page


def test_it_is_sorted_by_any_column(browser, board, measured):
    assert numbers(browser.get(board, {"sort": "version"})) == [2, 1]
    assert numbers(browser.get(board, {"sort": "category sums"})) == [2, 1]
    assert numbers(browser.get(board, {"sort": "no such column"})) == [2, 1]


def test_several_suites_stand_side_by_side(browser, board, project, measured):
    second = import_suite(project=project, name="second", file=jsonl(*SECOND), format="reward-bench")
    values(measured[0], second, **{"2": 1.0, "red": 1.0, "blue": 0.9})
    answer = browser.get(board, {"sort": str(second.pk)})
    assert numbers(answer) == [1, 2]
    assert [column["label"] for column in answer.context["report"]["columns"]] == ["core", "second"]
    assert "Best on core: version 2" in answer.content.decode()
    page = page_of(browser, board, suite=str(second.pk))
    assert "Ties" in page
    assert browser.get(board, {"suite": "999"}).status_code == 404


def test_rewardbench_gets_its_sections(browser, board, project, version):
    rows = [
        REWARD_BENCH[0] | {"subset": name} for name in ("mt-bench-easy", "llmbar-natural", "donotanswer", "math-prm")
    ]
    rows = [row | {"prompt": str(n)} for n, row in enumerate(rows)]
    suite = import_suite(project=project, name="rb", file=jsonl(*rows), format="reward-bench")
    scored(version, suite, 1, 1, 1, 0)
    columns = browser.get(board).context["report"]["columns"]
    assert [column["label"] for column in columns][:5] == ["RewardBench", "Chat", "Chat Hard", "Safety", "Reasoning"]
    assert browser.get(board).context["report"]["rows"][0]["cells"]["RewardBench"].value == 0.75


def test_an_empty_leaderboard_says_what_to_do(browser, board, project):
    assert "No suite yet" in page_of(browser, board)
    import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    assert "Train a version" in page_of(browser, board)
    make_version(project)
    assert "Measure versions on core" in page_of(browser, board)


def test_versions_that_were_not_measured_can_be(client_of, alice, board, project, measured):
    make_version(project, 3)
    assert "1 version was not measured" in page_of(client_of(alice), board)


def test_the_numbers_of_the_board_come_as_a_file(browser, board, measured):
    found = json.loads(browser.get(board, {"format": "json"}).content)["numbers"]
    assert found["rows"][0]["cells"]["accuracy"]["n"] == 6


def test_the_first_look_after_a_promotion_costs_no_more_queries_for_more_versions(browser, board, project, suite):
    def cost(promoted):
        promote(version=promoted)
        with CaptureQueriesContext(connection) as queries:
            browser.get(board)
        return len(queries)

    made = [make_version(project, number) for number in range(1, 7)]
    for version in made[:2]:
        scored(version, suite, 1, 0, 1, 0, 1, 0)
    before = cost(made[0])
    for version in made[2:]:
        scored(version, suite, 1, 1, 1, 0, 1, 0)
    assert cost(made[1]) == before
    told = browser.get(board).context["report"]["rows"]
    assert [row["against"]["accuracy"] and row["against"]["accuracy"]["won"] for row in told] == [1, 1, 1, 1, None, 0]


def test_more_versions_cost_no_more_queries(browser, board, project, suite, measured):

    def cost():
        browser.get(board)  # what is not kept yet is worked out once
        with CaptureQueriesContext(connection) as queries:
            browser.get(board)
        return len(queries)

    before = cost()
    for number in range(3, 7):
        scored(make_version(project, number), suite, 1, 0, 1, 0, 1, 0)
    assert cost() == before
