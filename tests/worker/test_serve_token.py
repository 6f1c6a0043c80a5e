"""Tokens of the scorer: shown once, kept as a hash, revoked for good."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import Event
from tests.inspector.making import make_version
from worker.models import ServeToken
from worker.services.serve_token import create_serve_token, mark_used, matching, open_hashes, revoke_serve_token
from worker.services.version import promote

URL = "/p/answers/serving/"


@pytest.fixture
def browser(client_of, alice, project):
    return client_of(alice)


def test_the_secret_matches_its_hash_and_nothing_else_does(project):
    one, secret = create_serve_token(project=project, name="ppo")
    other, _ = create_serve_token(project=project, name="grpo")
    hashes = open_hashes(project=project)
    assert matching(secret, hashes) == one.pk
    for wrong in ("", secret[:-1], one.sha256, "\ud800", "é" * 40):
        assert matching(wrong, hashes) is None
    revoke_serve_token(token=one)
    assert [pk for pk, _ in open_hashes(project=project)] == [other.pk]


def test_the_secret_is_kept_nowhere(project, alice):
    token, secret = create_serve_token(project=project, name="ppo", actor=alice)
    kept = [str(vars(row)) for row in (*ServeToken.objects.all(), *Event.objects.all())]
    assert not any(secret in text for text in kept)
    assert Event.objects.get(kind="serve_token.created").actor == alice
    assert len(token.sha256) == 64


def test_the_last_use_is_written_once_a_minute(project):
    token, _ = create_serve_token(project=project, name="ppo")
    mark_used(tokens={token.pk})
    first = ServeToken.objects.get().last_used_at
    mark_used(tokens={token.pk})
    assert ServeToken.objects.get().last_used_at == first
    ServeToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    mark_used(tokens={token.pk})
    assert ServeToken.objects.get().last_used_at > first


def test_revoking_twice_is_told_once(project):
    token, _ = create_serve_token(project=project, name="ppo")
    revoke_serve_token(token=token)
    revoke_serve_token(token=token)
    assert Event.objects.filter(kind="serve_token.revoked").count() == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "taken"])
def test_a_name_must_be_one_and_new(project, name):
    create_serve_token(project=project, name="taken")
    with pytest.raises(ValidationError):
        create_serve_token(project=project, name=name)
    assert ServeToken.objects.count() == 1


def test_a_name_is_free_again_once_its_token_is_revoked(project):
    revoke_serve_token(token=create_serve_token(project=project, name="ppo")[0])
    assert create_serve_token(project=project, name="ppo")[0].pk


def test_the_page_shows_a_new_token_once(browser, project):
    page = browser.post(f"{URL}create/", {"name": "ppo"}).content.decode()
    secret = re.search(r'<pre id="secret">([\w-]{40,})</pre>', page)[1]
    assert matching(secret, open_hashes(project=project))
    again = browser.get(URL).content.decode()
    assert secret not in again
    assert "never" in again


def test_a_bad_name_comes_back(browser):
    for name in ("", "x" * 121):
        assert browser.post(f"{URL}create/", {"name": name}).status_code == 422
    assert not ServeToken.objects.exists()


def test_revoking_closes_the_token(browser, project):
    token, _ = create_serve_token(project=project, name="ppo")
    assert browser.post(f"{URL}{token.pk}/revoke/").status_code == 302
    assert "revoked" in browser.get(URL).content.decode()
    assert not open_hashes(project=project)


def test_the_page_names_the_command_for_what_there_is(browser, project):
    assert "No version yet" in browser.get(URL).content.decode()
    version = make_version(project, 3)
    assert "serve_rm answers:3 --port" in browser.get(URL).content.decode()
    promote(version=version)
    assert "serve_rm answers:promoted --follow" in browser.get(URL).content.decode()


def test_who_may_make_tokens(client_of, bob, charlie, project, browser):
    token, _ = create_serve_token(project=project, name="ppo")
    for user, status in ((charlie, 404), (bob, 403)):
        assert client_of(user).get(URL).status_code == status
        for path in ("create/", f"{token.pk}/revoke/"):
            assert client_of(user).post(URL + path, {"name": "x"}).status_code == status
    assert browser.get(f"{URL}create/").status_code == 405
    assert browser.post(URL).status_code == 405
    assert open_hashes(project=project)
