"""Best of n in the browser, and its files."""

import csv
import io
import json

import pytest

from tests.inspector.making import make_pool, make_version
from worker.models import Candidate

URL = "/p/answers/versions/1/best-of-n/"
POOL = {"p": [(0.5, 1.0), (0.75, 0.0), (0.75, 3.0)], "q": [(0.1, 0.5), (-0.2, 0.25), (-0.1, 4.0)]}


@pytest.fixture
def pool(project):
    made = make_pool(project, make_version(project), POOL)
    for name, turns in (("p", "Où est la tour ?"), ("q", "=cmd()")):
        made.candidates.filter(prompt_sha256=name).update(turns=[{"role": "user", "content": turns}])
    return made


@pytest.fixture
def browser(client_of, alice, project):
    return client_of(alice)


def page_of(browser, **asked):
    return browser.get(URL, asked).content.decode()


def file_of(browser, **asked):
    return b"".join(browser.get(f"{URL}file/", asked).streaming_content).decode()


def test_without_a_pool_or_scores_the_page_says_what_to_do(browser, project):
    version = make_version(project)
    assert "No pool yet" in page_of(browser)
    make_pool(project, version, POOL)
    version.candidate_scores.all().delete()
    assert "has not scored the pool yet" in page_of(browser)
    assert browser.get(f"{URL}file/").status_code == 404


def test_the_chosen_answer_its_ties_and_the_means(browser, pool):
    page = page_of(browser, n=3)
    assert page.count('<span class="badge on">chosen</span>') == 2
    assert '<span class="badge warn">tied with 1 other</span>' in page
    assert "In 1 prompt the chosen answer has an equal" in page
    assert '<td class="num">0.425</td><td class="num">0.250</td>' in page  # (.75 + .1) / 2 and (0 + .5) / 2
    assert "No choice is a tie" in page_of(browser, n=2)


def test_the_curve_over_n_is_drawn_and_told(browser, pool):
    answer = browser.get(URL, {"n": 1})
    assert answer.context["figure"]["data"][0]["x"] == [1, 2, 3]
    # Two of p give 0, 3 or the tie's 1½; two of q give .5, .5 or 4.
    golds = [(4 / 3 + 4.75 / 3) / 2, (1.5 + 5 / 3) / 2, (1.5 + 0.5) / 2]
    assert answer.context["figure"]["data"][0]["y"] == pytest.approx(golds)
    assert "Gold is highest at best of 2, at 1.583." in answer.content.decode()
    assert browser.get(URL, {"format": "json"}).json()["numbers"]["curve"]["gold"] == pytest.approx(golds)


def test_all_candidates_are_meant_where_nothing_is_said(browser, pool):
    assert 'value="3"' in page_of(browser)


@pytest.mark.parametrize("n", ["0", "4", "-1", "x", "²", "9" * 30, "1.5"])
def test_an_n_that_cannot_be_is_told(browser, pool, n):
    response = browser.get(URL, {"n": n})
    assert response.status_code == 422
    assert "n goes from 1 to 3" in response.content.decode()
    assert browser.get(f"{URL}file/", {"n": n}).status_code == 404


def test_words_are_found_in_prompts_and_answers(browser, pool):
    Candidate.objects.filter(prompt_sha256="q", index=0).update(text="<b>hostile</b> tower")
    assert "1 prompt with “Où”" in page_of(browser, q="Où")
    found = page_of(browser, q="hostile")
    assert "1 prompt with" in found
    assert "&lt;b&gt;hostile" in found
    assert "Nothing found" in page_of(browser, q="nowhere")
    assert "Nothing found" in page_of(browser, q="\0")


def test_htmx_gets_the_rows_alone(browser, pool):
    rows = browser.get(URL, {"q": "tour"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in rows
    assert "1 prompt" in rows


def test_a_page_that_waited_for_scores_shows_itself(browser, pool, project):
    waiting = {"HX-Request": "true", "HX-Target": "scoring"}
    assert browser.get(URL, headers=waiting)["HX-Refresh"] == "true"
    project.versions.get().candidate_scores.all().delete()
    job = project.jobs.create(kind="score", params={"version": project.versions.get().pk})
    answer = browser.get(URL, headers=waiting)
    assert "HX-Refresh" not in answer
    assert f"Job {job.pk}" in answer.content.decode()


def test_the_file_of_chosen_answers_can_be_scored_again(browser, pool):
    rows = [json.loads(line) for line in file_of(browser, n=3, what="selected").splitlines()]
    assert [(row["index"], row["score"], row["tied"]) for row in rows] == [(1, 0.75, 1), (0, 0.1, 0)]
    assert rows[0]["turns"] == [{"role": "user", "content": "Où est la tour ?"}]
    assert rows[0]["response"] == "p 1"


def test_the_file_of_the_whole_ranking(browser, pool):
    rows = [json.loads(line) for line in file_of(browser, n=1, what="ranking").splitlines()]
    assert [(row["rank"], row["index"], row["chosen"]) for row in rows[:3]] == [
        (1, 1, False),
        (1, 2, False),
        (3, 0, True),
    ]
    assert len(rows) == 6


def test_csv_holds_nothing_that_a_spreadsheet_would_run(browser, pool):
    rows = list(csv.DictReader(io.StringIO(file_of(browser, what="ranking", format="csv"))))
    assert len(rows) == 6
    assert rows[-1]["prompt"] == "'=cmd()"
    assert float(rows[-1]["score"]) == -0.2


@pytest.mark.parametrize("asked", [{"what": "x"}, {"format": "xml"}, {"pool": "0"}, {"pool": "x"}, {"pool": "9" * 40}])
def test_a_file_that_is_none_is_not_found(browser, pool, asked):
    assert browser.get(f"{URL}file/", asked).status_code == 404


def test_who_may_see_it(client_of, bob, charlie, browser, pool):
    for path in (URL, f"{URL}file/"):
        assert client_of(charlie).get(path).status_code == 404
        assert client_of(bob).get(path).status_code == 403
        assert browser.post(path).status_code == 405
