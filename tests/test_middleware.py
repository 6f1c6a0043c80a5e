import errno
from unittest.mock import Mock

import pytest
from django.db import InterfaceError, OperationalError
from django.urls import reverse

from worker.services.job import launch

HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin(client_of, project, alice):
    return client_of(alice)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/login/", 302),
        ("/nowhere/", 404),
        ("/new/", 403),
        ("/logout/", 405),
        ("/admin/login/", 403),
        ("/static/css/touchstone.css", 200),
        ("/static/django_htmx/htmx-2.min.js", 200),
    ],
)
def test_every_response_forbids_inline_scripts_and_other_origins(admin, path, status):
    response = admin.get(path, follow=False)
    assert response.status_code == status
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_failing_view_shows_the_house_page_and_keeps_the_policy(admin, monkeypatch):
    monkeypatch.setattr("annotate.views.project.prose", lambda raw: 1 / 0)
    admin.raise_request_exception = False
    response = admin.get("/p/answers/")
    assert response.status_code == 500
    assert b"Something broke" in response.content
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("the connection is lost"), "The database does not answer just now"),
        (InterfaceError("connection already closed"), "The database does not answer just now"),
        (OperationalError("could not extend file: No space left on device"), "The disk is full"),
        (OperationalError("database or disk is full"), "The disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
    ],
)
def test_a_database_that_is_away_or_full_is_told_as_what_passes(admin, monkeypatch, error, words):
    monkeypatch.setattr("annotate.views.project.prose", Mock(side_effect=error))
    admin.raise_request_exception = False
    response = admin.get("/p/answers/")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert words in response.content.decode()


def test_a_database_that_is_away_before_any_view_is_told_too(admin, monkeypatch):
    monkeypatch.setattr("config.sessions.SESSION.first", Mock(side_effect=OperationalError("starting up")))
    admin.raise_request_exception = False
    assert admin.get("/p/answers/").status_code == 503


def test_a_forged_post_is_refused_in_the_house_style(client, project, bob):
    browser = type(client)(enforce_csrf_checks=True)
    browser.force_login(bob)
    response = browser.post("/logout/")
    assert response.status_code == 403
    assert b"Nothing was changed" in response.content


def test_a_refusal_says_which_right_is_missing(client_of, project, bob):
    page = client_of(bob).get("/p/answers/settings/")
    assert page.status_code == 403
    assert "Your role here is annotator" in page.content.decode()


def test_a_redirect_becomes_a_move_of_the_whole_page(admin):
    response = admin.post(reverse("annotate:logout"), headers=HTMX)
    assert response.status_code == 200
    assert response.headers["HX-Redirect"] == "/login/"
    assert not response.content


def test_without_htmx_a_redirect_is_one(admin):
    response = admin.post(reverse("annotate:logout"))
    assert (response.status_code, response.headers["Location"]) == (302, "/login/")


def test_messages_ride_on_the_next_fragment_once(admin, project, bob):
    member = project.memberships.get(user=bob)
    admin.post(f"/p/answers/members/role/{member.pk}/", {"role": "reviewer"})
    first, second = (
        admin.post("/p/answers/guidelines/edit/", {"part": "preview"}, headers=HTMX).content.decode() for _ in range(2)
    )
    assert "bob is reviewer now." in first
    assert 'hx-swap-oob="true"' in first
    assert "toast" not in second


def test_a_message_waits_while_the_answer_is_data(admin, project, bob):
    job = launch(project=project, kind="train", params={})
    member = project.memberships.get(user=bob)
    admin.post(f"/p/answers/members/role/{member.pk}/", {"role": "reviewer"})
    assert admin.get(reverse("worker:job_events", args=["answers", job.pk]), headers=HTMX).json()["ended"] is False
    assert "bob is reviewer now." in admin.get("/p/answers/").content.decode()


def test_caches_keep_pages_and_fragments_apart(admin):
    assert "HX-Request" in admin.get("/").headers["Vary"]


def test_a_name_that_the_site_does_not_answer_to_is_told_what_to_set(client):
    response = client.get("/login/", headers={"host": "elsewhere.test"})
    assert response.status_code == 400
    assert b"ALLOWED_HOSTS" in response.content
    assert "Content-Security-Policy" in response


@pytest.mark.parametrize("type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("name", ["rot13", "idna", "utf-16", "hex"])
def test_what_is_not_sent_in_utf_8_is_refused(admin, type, name):
    url = reverse("annotate:settings", args=["answers"])
    body = '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nNew\r\n--x--\r\n'
    assert admin.generic("POST", url, body, f"{type}; charset={name}").status_code == 400


@pytest.mark.parametrize("name", ["utf-8", "UTF-8", "none-such"])
def test_what_is_sent_in_utf_8_is_read(admin, name):
    answer = admin.generic("POST", "/keys/", "preset=left", f"application/x-www-form-urlencoded; charset={name}")
    assert answer.status_code == 302
