"""Who gets in by a token, and how far."""

import json
import logging
from datetime import timedelta

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import AccessToken, Event, IdempotencyKey, Role, User
from annotate.services.access_token import create_token, revoke_token, token_used
from annotate.services.member import change_role, remove_member
from annotate.services.project import add_member, create_project
from tests.annotate.api.conftest import Api

pytestmark = pytest.mark.django_db
PROJECT = "/projects/answers"


def told(response):
    """Status and sentence of a refusal, which has the one shape."""
    assert response.headers["Content-Type"] == "application/json"
    assert set(response.json()) == {"detail", "errors"}
    return response.status_code, response.json()["detail"]


def test_a_token_opens_what_its_owner_may_do(api, project, bob):
    response = api(bob).get(PROJECT)
    assert response.json() == {"slug": "answers", "name": "Answers", "role": "annotator", "paused": False}


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic nonsense", "Bearer \xff"])
def test_without_a_good_token_it_is_401(client, project, header):
    response = client.get(f"/api/v1{PROJECT}", headers={} if header is None else {"Authorization": header})
    assert told(response)[0] == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_opens_nothing(client_of, project, alice):
    assert told(client_of(alice).get(f"/api/v1{PROJECT}"))[0] == 401


def test_a_token_acts_for_its_owner_whoever_is_signed_in(api, client_of, project, alice, charlie):
    secret = api(charlie).secret
    response = client_of(alice).get(f"/api/v1{PROJECT}", headers={"Authorization": f"Bearer {secret}"})
    assert told(response) == (404, "No such project.")


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "authorization"])
def test_a_token_in_the_query_or_a_cookie_opens_nothing(client, api, project, bob, name):
    secret = api(bob).secret
    client.cookies[name] = secret
    assert client.get(f"/api/v1{PROJECT}", {name: secret}).status_code == 401


def test_a_stranger_cannot_tell_a_project_from_none(api, project, charlie):
    real, invented = (told(api(charlie).get(path)) for path in (PROJECT, "/projects/nowhere"))
    assert real == invented == (404, "No such project.")


def test_the_scope_is_needed_and_the_refusal_names_it(api, project, alice):
    assert told(api(alice, "judge").get(PROJECT)) == (403, "This token lacks the scope see; it has judge.")
    assert told(api(alice, "judge").get("/projects")) == (403, "This token lacks the scope see; it has judge.")


def test_a_token_for_one_project_opens_no_other(api, project, alice):
    create_project(slug="other", name="Other", actor=alice)
    mine = api(alice, project=project)
    assert mine.get(PROJECT).status_code == 200
    assert told(mine.get("/projects/other")) == (404, "No such project.")
    assert [one["slug"] for one in mine.get("/projects").json()["items"]] == ["answers"]


def test_what_an_owner_loses_the_token_loses(api, project, alice, bob, charlie):
    add_member(project=project, user=charlie, role=Role.ADMIN, actor=alice)
    his = api(charlie)
    assert his.get(PROJECT).json()["role"] == "admin"
    change_role(member=project.memberships.get(user=charlie), role=Role.ANNOTATOR, actor=alice)
    assert his.get(PROJECT).json()["role"] == "annotator"
    remove_member(member=project.memberships.get(user=charlie), actor=alice)
    assert told(his.get(PROJECT))[0] == 404


def test_a_removed_member_who_comes_back_has_no_old_token_for_that_project(api, project, alice, bob):
    here, everywhere = api(bob, project=project), api(bob)
    remove_member(member=project.memberships.get(user=bob), actor=alice)
    add_member(project=project, user=bob, role=Role.ANNOTATOR, actor=alice)
    assert (here.get(PROJECT).status_code, everywhere.get(PROJECT).status_code) == (401, 200)


def test_an_expired_a_revoked_and_an_inactive_owners_token_are_401(api, project, bob):
    late = api(bob, expires_at=timezone.now())
    revoked, mine = api(bob), api(bob)
    assert revoke_token(token=revoked.token, actor=bob)
    assert not revoke_token(token=revoked.token, actor=bob)
    assert [one.get(PROJECT).status_code for one in (late, revoked, mine)] == [401, 401, 200]
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert mine.get(PROJECT).status_code == 401


def test_a_token_expires_by_itself(api, project, bob):
    mine = api(bob, expires_at=timezone.now() + timedelta(hours=1))
    assert mine.get(PROJECT).status_code == 200
    AccessToken.objects.update(expires_at=timezone.now())
    assert mine.get(PROJECT).status_code == 401


def test_a_new_password_ends_the_tokens_by_whichever_door_it_came(api, project, bob, alice):
    mine, hers = api(bob), api(alice)
    bob.set_password("a new one 4711")
    bob.save()
    assert (mine.get(PROJECT).status_code, hers.get(PROJECT).status_code) == (401, 200)
    assert Event.objects.get(kind="token.revoked").data["why"] == "password changed"


def test_a_stronger_hash_of_the_same_password_ends_nothing(api, project, bob, settings):
    mine, hasher = api(bob), "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher"
    settings.PASSWORD_HASHERS = [hasher, *settings.PASSWORD_HASHERS]
    assert bob.check_password("bob-pass-phrase")
    assert bob.password.startswith("pbkdf2_sha1")
    assert mine.get(PROJECT).status_code == 200


def test_the_secret_is_in_no_row_and_no_log(api, project, bob, caplog):
    caplog.set_level(logging.DEBUG)
    mine = api(bob)
    mine.post("/projects", headers={"Idempotency-Key": "a"})
    mine.get(PROJECT)
    Api(mine.secret + "x").get(PROJECT)
    models = (AccessToken, Event, IdempotencyKey, User)
    rows = [serializers.serialize("json", model.objects.all()) for model in models]
    assert mine.secret.startswith("ts_")
    assert len(mine.secret) == 46
    assert mine.secret[3:] not in json.dumps(rows) + caplog.text


def test_what_was_made_and_revoked_is_in_the_ledger(api, project, bob):
    mine = api(bob, "see", project=project)
    revoke_token(token=mine.token, actor=bob)
    made, ended = Event.objects.filter(kind__startswith="token.")
    assert (made.kind, made.actor, made.project, made.data["scopes"]) == ("token.created", bob, project, ["see"])
    assert (ended.kind, ended.subject) == ("token.revoked", f"accesstoken:{mine.token.pk}")


@pytest.mark.parametrize("scopes", [[], ["everything"], ["see", "admin"]])
def test_a_scope_that_is_none_is_refused(bob, scopes):
    with pytest.raises(ValidationError):
        create_token(user=bob, name="x", scopes=scopes, expires_at=None)


def test_the_last_use_is_written_once_a_minute(api, project, bob):
    mine = api(bob)
    mine.get(PROJECT)
    first = AccessToken.objects.get().last_used_at
    mine.get(PROJECT)
    assert AccessToken.objects.get().last_used_at == first
    AccessToken.objects.update(last_used_at=first - timedelta(minutes=2))
    assert token_used(mine.secret)
    assert AccessToken.objects.get().last_used_at >= first
