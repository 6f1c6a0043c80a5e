"""The page of pools, and the button that scores one."""

import pytest

from tests.inspector.making import make_pool, make_version
from worker.models import Job
from worker.services.job import launch

URL = "/p/answers/pools/"


@pytest.fixture
def version(project):
    return make_version(project)


@pytest.fixture
def browser(client_of, alice, project):
    return client_of(alice)


def test_without_a_pool_the_page_says_how_to_get_one(browser):
    assert "manage.py import_pool answers FILE" in browser.get(URL).content.decode()


def test_the_page_counts_and_says_who_has_scored(browser, project, version):
    pool = make_pool(project, version, {"p": [(0.5, 1), (0.25, 2)], "q": [(0.1, 0)]})
    page = browser.get(URL).content.decode()
    assert '<td class="num">2</td><td class="num">3</td>' in page
    assert f'<a href="/p/answers/versions/1/best-of-n/?pool={pool.pk}">version 1</a>' in page
    pool.candidates.all().delete()
    assert "nobody yet" in browser.get(URL).content.decode()


def test_a_pool_is_scored_by_a_version_and_asked_twice_once(browser, project, version):
    pool = make_pool(project, version, {"p": [(0.5, 1)]})
    for _ in range(2):
        answer = browser.post(f"{URL}{pool.pk}/score/", {"version": "1"})
    job = Job.objects.get()
    assert answer["Location"] == f"/p/answers/jobs/{job.pk}/"
    assert (job.kind, job.params) == ("score", {"version": version.pk, "pool": pool.pk})


@pytest.mark.parametrize("number", ["", "2", "x", "²", "9" * 40])
def test_a_version_that_is_none_is_not_found(browser, project, version, number):
    pool = make_pool(project, version, {"p": [(0.5, 1)]})
    assert browser.post(f"{URL}{pool.pk}/score/", {"version": number}).status_code == 404
    assert not Job.objects.exists()


def test_who_may(client_of, bob, charlie, browser, project, version):
    pool = make_pool(project, version, {"p": [(0.5, 1)]})
    for user, status in ((charlie, 404), (bob, 403)):
        assert client_of(user).get(URL).status_code == status
        assert client_of(user).post(f"{URL}{pool.pk}/score/", {"version": "1"}).status_code == status
    assert browser.get(f"{URL}{pool.pk}/score/").status_code == 405
    assert browser.post(URL).status_code == 405


def test_a_job_of_a_pool_alone_is_not_taken_for_the_version_s_own(browser, project, version):
    pool = make_pool(project, version, {"p": [(0.5, 1.0)]})
    launch(project=project, kind="score", params={"version": version.pk, "pool": pool.pk})
    assert version.scoring is None
    own = launch(project=project, kind="score", params={"version": version.pk})
    assert version.scoring == own
