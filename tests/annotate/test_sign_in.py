"""Guesses at the door: how many, by whom, what they are told, and who is never kept out."""

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotate.models import Event, Throttle
from tests.annotate.test_throttle import clock  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
LOGIN, PASSWORD, ADMIN = reverse("annotate:login"), reverse("annotate:password"), "/admin/annotate/user/"
CHANGE = {"new_password1": "stone-and-gold", "new_password2": "stone-and-gold"}


def sign_in(browser, name="bob", password=None, **extra):
    return browser.post(LOGIN, {"username": name, "password": password or f"{name}-pass-phrase"}, **extra)


def guess(browser, times=1, name="bob", **extra):
    """The statuses of so many wrong guesses."""
    return [sign_in(browser, name, "wrong", **extra).status_code for _ in range(times)]


@pytest.fixture
def browsers(client):
    """Makes new browsers."""
    return type(client)


def test_after_five_wrong_passwords_everybody_there_waits_and_is_told(client, bob, clock):  # noqa: F811
    assert guess(client, 6) == [422] * 5 + [429]
    early = sign_in(client)
    assert (early.status_code, early.headers["Retry-After"]) == (429, "1")
    assert "Too many wrong tries. Wait 1 second, then try again." in early.content.decode()
    assert not get_user(client).is_authenticated
    clock(1)
    assert sign_in(client).status_code == 302


def test_an_unknown_name_is_told_the_same_all_along(browsers, bob, clock):  # noqa: F811
    known, unknown = ([sign_in(browsers(), name, "wrong") for _ in range(7)] for name in ("bob", "nobody"))
    assert [one.status_code for one in known] == [one.status_code for one in unknown]
    assert [one.context["form"].errors for one in known] == [one.context["form"].errors for one in unknown]


def test_an_unknown_name_costs_the_same_work(client, bob, settings, monkeypatch):
    """One hash and as many queries: the time tells nothing."""
    hashed, encode = [], PBKDF2PasswordHasher.encode
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1)
    bob.set_password("bob-pass-phrase")
    bob.save()
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", lambda *args: hashed.append(args[1]) or encode(*args))
    told = []
    for name in ("bob", "nobody"):
        with CaptureQueriesContext(connection) as queries:
            guess(client, name=name)
        told.append((len(hashed), len(queries)))
        hashed.clear()
    assert told[0] == told[1]
    assert told[0][0] == 1


def test_whoever_guesses_elsewhere_does_not_keep_the_person_out(browsers, bob, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr("annotate.door.WIDE", 6)
    own = browsers()
    sign_in(own)
    own.post(reverse("annotate:logout"))
    for n in range(6):
        guess(browsers(), name="bob", REMOTE_ADDR=f"203.0.113.{n}")
    assert guess(browsers(), REMOTE_ADDR="203.0.113.77") == [429]  # no stranger may guess now, from anywhere
    assert sign_in(own).status_code == 302


def test_whoever_guesses_from_one_place_makes_only_that_place_wait(browsers, bob, clock):  # noqa: F811
    guess(browsers(), 6, REMOTE_ADDR="203.0.113.1")
    assert sign_in(browsers(), REMOTE_ADDR="203.0.113.2").status_code == 302


def test_a_known_browser_may_not_guess_for_ever_either(browsers, bob, clock):  # noqa: F811
    own = browsers()
    sign_in(own)
    own.post(reverse("annotate:logout"))
    assert guess(own, 6) == [422] * 5 + [429]


def test_a_browser_known_to_one_account_is_a_stranger_to_another(browsers, bob, charlie, clock):  # noqa: F811
    own = browsers()
    sign_in(own, "charlie")
    own.post(reverse("annotate:logout"))
    [name] = [name for name in own.cookies if name.startswith("known-")]
    guess(browsers(), 5)
    for cookie in [key for key in own.cookies if key != name]:
        del own.cookies[cookie]
    assert guess(own) == [429]


def test_the_whole_ipv6_network_is_one_place(browsers, bob, clock):  # noqa: F811
    found = [guess(browsers(), REMOTE_ADDR=f"2001:db8:0:1::{n}")[0] for n in range(6)]
    assert found == [422] * 5 + [429]
    assert guess(browsers(), REMOTE_ADDR="2001:db8:0:2::1") == [422]


def test_a_header_does_not_make_another_place(browsers, bob, clock):  # noqa: F811
    assert [guess(browsers(), HTTP_X_FORWARDED_FOR=f"203.0.113.{n}")[0] for n in range(6)] == [422] * 5 + [429]


def test_behind_a_trusted_proxy_each_client_is_a_place(browsers, bob, clock, settings):  # noqa: F811
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert guess(browsers(), 6, HTTP_X_FORWARDED_FOR="198.51.100.1") == [422] * 5 + [429]
    assert guess(browsers(), 1, HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.2") == [422]
    assert Event.objects.last().data["address"] == "203.0.113.2"


def test_one_place_may_not_try_all_names(browsers, clock, monkeypatch):  # noqa: F811
    monkeypatch.setattr("annotate.door.WIDE", 7)
    assert [guess(browsers(), name=f"name{n}")[0] for n in range(8)] == [422] * 7 + [429]


def test_the_old_password_is_guessed_at_no_more_often(client_of, bob, clock):  # noqa: F811
    browser = client_of(bob)
    found = [browser.post(PASSWORD, CHANGE | {"old_password": "wrong"}) for _ in range(6)]
    assert [one.status_code for one in found] == [422] * 5 + [429]
    assert found[-1].headers["Retry-After"] == "1"
    assert "Too many wrong tries" in found[-1].content.decode()
    right = browser.post(PASSWORD, CHANGE | {"old_password": "bob-pass-phrase"})
    assert right.status_code == 429
    assert Event.objects.filter(kind="account.sign_in_failed").count() == 5


def test_an_empty_form_is_no_guess(client, bob):
    assert client.post(LOGIN, {"username": "bob", "password": ""}).status_code == 422
    assert not Throttle.objects.exists()


def test_djangos_admin_has_no_door_of_its_own(client, client_of, bob, django_user_model):
    assert client.get(ADMIN, follow=True).redirect_chain[-1][0] == f"{LOGIN}?next={ADMIN}"
    root = django_user_model.objects.create_superuser("root", password="root-pass-phrase")
    sent = client.post(f"/admin/login/?next={ADMIN}", {"username": "root", "password": "root-pass-phrase"})
    assert sent.url == f"{LOGIN}?next={ADMIN}"
    assert not get_user(client).is_authenticated
    assert sign_in(client, "root").status_code == 302
    assert client.get(ADMIN).status_code == 200
    assert client.get("/admin/password_change/").url == PASSWORD
    assert client_of(root).get("/admin/login/", follow=True).status_code == 200


def test_who_is_no_superuser_is_told_so_by_djangos_admin(client_of, bob):
    assert client_of(bob).get(ADMIN, follow=True).status_code == 403


def test_coming_in_and_failing_to_leave_a_line_without_the_password(client, bob):
    sign_in(client, "bob", "hunter2", REMOTE_ADDR="203.0.113.7")
    sign_in(client, "hunter2", "hunter2")
    sign_in(client)
    lines = list(Event.objects.filter(kind__startswith="account.").values("kind", "subject", "actor", "data"))
    assert lines == [
        {"kind": "account.sign_in_failed", "subject": f"user:{bob.pk}", "actor": None,
         "data": {"address": "203.0.113.7", "what": "password"}},
        {"kind": "account.sign_in_failed", "subject": "user:None", "actor": None,
         "data": {"address": "127.0.0.1", "what": "password"}},
        {"kind": "account.signed_in", "subject": f"user:{bob.pk}", "actor": bob.pk, "data": {"address": "127.0.0.1"}},
    ]  # fmt: skip
    assert "hunter2" not in str(list(Event.objects.values()))


def test_guesses_that_must_wait_leave_no_line(client, bob, clock):  # noqa: F811
    guess(client, 9)
    assert Event.objects.filter(kind="account.sign_in_failed").count() == 5
