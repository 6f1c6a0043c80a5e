"""The project page asks the versions page for its newest version."""

import pytest
from django.urls import reverse

from annotate.models import Role
from annotate.services.project import add_member
from worker.models import Snapshot, Version

ASK = {"HX-Request": "true"}


@pytest.fixture
def url(project):
    return reverse("worker:versions", args=[project.slug])


def test_the_project_page_asks_for_it(client_of, alice, url):
    assert f'hx-get="{url}"' in client_of(alice).get("/p/answers/").content.decode()


def test_there_is_none_yet(client_of, alice, url):
    page = client_of(alice).get(url, headers=ASK).content.decode()
    assert "no reward model yet" in page
    assert "<html" not in page


def test_the_newest_one_and_how_often_it_is_right(client_of, alice, project, url):
    snapshot = Snapshot.objects.create(project=project, sha256="5" * 64, counts={})
    hashes = {"encode_hash": "e" * 64, "file_sha256": "f" * 64}
    for number, value in ((1, 0.9), (2, 0.6123)):
        metrics = {"pair_accuracy": {"value": value, "low": 0.5, "high": 0.95, "n": 80}}
        Version.objects.create(
            project=project, number=number, snapshot=snapshot, recipe={}, heads=[], metrics=metrics, **hashes
        )
    page = client_of(alice).get(url, headers=ASK).content.decode()
    assert "61.2 %" in page
    assert "version 2" in page


def test_an_annotator_is_not_told(client_of, bob, url, project):
    assert client_of(bob).get(url, headers=ASK).status_code == 403
    assert f'hx-get="{url}"' not in client_of(bob).get("/p/answers/").content.decode()


def test_a_researcher_is_told(client_of, charlie, url, project):
    add_member(project=project, user=charlie, role=Role.RESEARCHER)
    assert client_of(charlie).get(url, headers=ASK).status_code == 200
