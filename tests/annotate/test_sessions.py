"""What a session is bound to, how long it lasts, and what cookies it never takes."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from annotate.models import Event
from annotate.services.access_token import create_token
from config.sessions import SessionStore

pytestmark = pytest.mark.django_db
LOGIN, ACCOUNT, HOME = map(reverse, ("annotate:login", "annotate:account", "annotate:home"))
RIGHT = {"username": "bob", "password": "bob-pass-phrase"}


def test_signing_in_takes_another_session_key_and_csrf_token(client, bob):
    """Else whoever planted a session in somebody's browser would be signed in with them."""
    planted = SessionStore()
    planted["note"] = "planted"
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    client.get(LOGIN)
    token = client.cookies["csrftoken"].value
    assert client.post(LOGIN, RIGHT).status_code == 302
    assert client.cookies["sessionid"].value != planted.session_key
    assert client.cookies["csrftoken"].value != token
    assert not SessionStore().exists(planted.session_key)


def test_signing_out_everywhere_ends_every_session(client_of, bob, alice):
    here, there, other = client_of(bob), client_of(bob), client_of(alice)
    assert here.post(reverse("annotate:sign_out_everywhere")).url == LOGIN
    assert [browser.get(HOME).status_code for browser in (here, there, other)] == [302, 302, 200]
    assert "You are signed out everywhere." in here.get(LOGIN).content.decode()
    assert client_of(type(bob).objects.get(pk=bob.pk)).get(HOME).status_code == 200
    assert Event.objects.get(kind="account.signed_out_everywhere").actor == bob


@pytest.mark.parametrize(("sent", "left"), [({}, 1), ({"tokens": "on"}, 0)])
def test_signing_out_everywhere_ends_access_tokens_if_asked(client_of, bob, alice, sent, left):
    for user in (bob, alice):
        create_token(user=user, name="nightly", scopes=["see"], expires_at=None)
    browser = client_of(bob)
    page = browser.get(ACCOUNT).content.decode()
    assert "Access tokens still let programs in" in page
    assert 'name="tokens"' in page
    browser.post(reverse("annotate:sign_out_everywhere"), sent)
    assert ("your access tokens open nothing" in browser.get(LOGIN).content.decode()) == (not left)
    assert (bob.tokens.usable().count(), alice.tokens.usable().count()) == (left, 1)


def test_the_account_page_leads_to_what_a_person_may_set(client_of, bob):
    page = client_of(bob).get(ACCOUNT).content.decode()
    for name in ("password", "keys", "sign_out_everywhere"):
        assert reverse(f"annotate:{name}") in page
    assert ACCOUNT in client_of(bob).get(HOME).content.decode()


def test_the_cookie_is_for_the_server_and_this_site_alone(client, bob):
    cookies = client.post(LOGIN, RIGHT).cookies
    for name in [name for name in cookies if name == "sessionid" or name.startswith("known-")]:
        assert (cookies[name]["httponly"], cookies[name]["samesite"]) == (True, "Lax")
    assert cookies["csrftoken"]["samesite"] == "Lax"
    assert len(cookies) == 3


def test_a_session_lasts_while_it_is_used(client_of, bob, settings):
    browser = client_of(bob)
    end = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE / 2)
    Session.objects.update(expire_date=end)
    assert browser.get(HOME).status_code == 200
    assert Session.objects.get().expire_date > end


def test_a_session_in_use_is_not_written_at_each_request(client_of, bob, django_assert_num_queries):
    browser = client_of(bob)
    browser.get(reverse("annotate:keys"))
    with django_assert_num_queries(2):
        browser.get(reverse("annotate:keys"))


def test_a_session_that_nobody_used_is_over(client_of, bob):
    browser = client_of(bob)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert browser.get(HOME).url.startswith(LOGIN)


def test_no_session_lasts_for_ever(client_of, bob, settings):
    browser = client_of(bob)
    store = SessionStore(browser.cookies["sessionid"].value)
    store["began"] -= settings.SESSION_MAX_DAYS * 86400 + 1
    store.save()
    assert browser.get(HOME).url.startswith(LOGIN)
    assert not get_user(browser).is_authenticated


@pytest.mark.parametrize(
    "cookie", ["\0", "a" * 31 + "\0", "a" * 31, "a" * 33, "x" * 100_000, "é" * 32, "٣" * 32, "", "../" * 11]
)
def test_a_cookie_that_is_none_of_ours_is_no_session(cookie):
    assert SessionStore(cookie).session_key is None
