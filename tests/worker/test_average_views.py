"""Averages and ensembles from the list of versions. Roles and foreign objects: tests/test_permissions.py."""

import pytest

from annotate.models import Role
from annotate.services.project import add_member
from tests.inspector.making import make_version
from worker.models import Job, Snapshot, Version
from worker.services.job import launch

LIST, AVERAGE = "/p/answers/versions/", "/p/answers/versions/average/"


@pytest.fixture
def browser(client_of, alice):
    return client_of(alice)


def tuned(project, number, name="lora", **fields):
    version = make_version(project, number)
    Version.objects.filter(pk=version.pk).update(recipe={"name": name}, **fields)
    return version


def page_of(browser):
    return browser.get(LIST).content.decode()


def test_fine_tunes_of_one_kind_are_offered_together(browser, project):
    for number in (1, 2):
        tuned(project, number)
    tuned(project, 3, "full")
    tuned(project, 4, transforms=[{"name": "clip", "low": 0}])
    tuned(project, 5, state="archived")
    tuned(project, 6, heads=["preference"])
    make_version(project, 7)
    page = page_of(browser)
    assert [n for n in range(1, 8) if f'id="average{n}"' in page] == [1, 2]


def test_without_two_that_fit_there_is_no_form(browser, project):
    tuned(project, 1)
    assert "Average fine-tunes" not in page_of(browser)


def test_who_may_not_manage_is_not_asked(client_of, project, person):
    tuned(project, 1)
    tuned(project, 2)
    rita = person("rita")
    add_member(project=project, user=rita, role=Role.RESEARCHER)
    assert "Average fine-tunes" not in page_of(client_of(rita))


def test_those_that_were_chosen_are_averaged(browser, project):
    versions = [tuned(project, number) for number in (1, 2, 3)]
    answer = browser.post(AVERAGE, {"version": ["1", "3"]})
    job = Job.objects.get(kind="average")
    assert answer.url == f"/p/answers/jobs/{job.pk}/"
    assert job.params == {"versions": [versions[0].pk, versions[2].pk]}


@pytest.mark.parametrize("numbers", [[], ["1"], ["1", "1"], ["1", "9"], ["1", "²"], ["1", "x"], ["1", "3"]])
def test_what_cannot_be_averaged_is_said_and_nothing_launched(browser, project, numbers):
    tuned(project, 1)
    tuned(project, 2)
    tuned(project, 3, "full")
    page = browser.post(AVERAGE, {"version": numbers}, follow=True).content.decode()
    assert "at least two versions" in page or "Only versions of one trainer" in page
    assert not Job.objects.exists()


def test_versions_of_one_snapshot_are_offered_as_an_ensemble(browser, project):
    for number in (1, 2):
        make_version(project, number)
    tuned(project, 3, state="archived")
    tuned(project, 4, transforms=[{"name": "clip", "low": 0}])
    tuned(project, 5, snapshot=Snapshot.objects.create(project=project, sha256="1" * 64, counts={}))
    tuned(project, 6, trained_by=launch(project=project, kind="average", params={"versions": [], "rule": "wco"}))
    tuned(project, 7)
    page = page_of(browser)
    assert [n for n in range(1, 8) if f'id="together{n}"' in page] == [1, 2, 7]


def test_those_that_were_chosen_become_an_ensemble(browser, project):
    versions = [make_version(project, 1), tuned(project, 2), make_version(project, 3)]
    answer = browser.post(AVERAGE, {"version": ["1", "2"], "rule": "wco"})
    job = Job.objects.get(kind="average")
    assert answer.url == f"/p/answers/jobs/{job.pk}/"
    assert job.params == {
        "versions": [versions[0].pk, versions[1].pk], "rule": "wco", "uwo_weight": 0.5, "quantile": 0.25
    }  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "rule", "said"),
    [
        (["1", "1"], "mean", "2 to 16 versions"),
        ([str(n) for n in range(1, 18)], "mean", "2 to 16 versions"),
        (["1", "2"], "best", "combine: Input should be"),
        (["1", "18"], "mean", "Versions of different snapshots"),
        (["1", "19"], "mean", "A transformed version"),
        (["1", "20"], "mean", "An ensemble of versions cannot be a member"),
    ],
)
def test_what_cannot_be_an_ensemble_is_said_and_nothing_launched(browser, project, numbers, rule, said):
    for number in range(1, 18):
        make_version(project, number)
    tuned(project, 18, snapshot=Snapshot.objects.create(project=project, sha256="1" * 64, counts={}))
    tuned(project, 19, transforms=[{"name": "clip", "low": 0}])
    made = launch(project=project, kind="average", params={"versions": [], "rule": "wco"})
    tuned(project, 20, trained_by=made)
    assert said in browser.post(AVERAGE, {"version": numbers, "rule": rule}, follow=True).content.decode()
    assert list(Job.objects.all()) == [made]
