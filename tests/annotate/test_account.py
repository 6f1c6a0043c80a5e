from io import StringIO

import pytest
from django.contrib.auth import get_user
from django.core.management import call_command
from django.urls import reverse

LOGIN, PASSWORD, HOME = map(reverse, ("annotate:login", "annotate:password", "annotate:home"))
WRONG = {"username": "bob", "password": "not it"}
RIGHT = {"username": "bob", "password": "bob-pass-phrase"}
CHANGE = {"old_password": "bob-pass-phrase", "new_password1": "stone-and-gold", "new_password2": "stone-and-gold"}


def test_bob_signs_in_and_goes_where_he_wanted(client, bob):
    response = client.post(LOGIN, RIGHT | {"next": "/password/"})
    assert (response.status_code, response.url) == (302, "/password/")
    assert get_user(client) == bob


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "///evil.example"]
)
def test_next_stays_on_this_host(client, bob, target):
    assert client.post(LOGIN, RIGHT | {"next": target}).url == HOME
    assert client.get(LOGIN, {"next": target}).status_code == 302  # signed in by now
    assert client.get(LOGIN, {"next": target}).url == HOME


def test_a_wrong_password_and_an_unknown_name_look_the_same(client, bob):
    wrong, unknown = client.post(LOGIN, WRONG), client.post(LOGIN, WRONG | {"username": "nobody"})
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert not get_user(client).is_authenticated


def test_an_inactive_account_cannot_sign_in(client, bob):
    bob.is_active = False
    bob.save()
    assert client.post(LOGIN, RIGHT).status_code == 422


def test_signing_out_takes_a_post(client_of, bob):
    browser = client_of(bob)
    assert browser.get(reverse("annotate:logout")).status_code == 405
    assert browser.post(reverse("annotate:logout")).url == LOGIN
    assert not get_user(browser).is_authenticated


def test_changing_the_password_keeps_this_browser_and_ends_the_others(client_of, bob):
    here, there = client_of(bob), client_of(bob)
    assert here.post(PASSWORD, CHANGE).url == HOME
    assert here.get(HOME).status_code == 200
    assert there.get(HOME).url.startswith(LOGIN)
    bob.refresh_from_db()
    assert bob.check_password("stone-and-gold")


@pytest.mark.parametrize(
    ("field", "value"), [("old_password", "wrong"), ("new_password2", "other"), ("new_password1", "12345678")]
)
def test_a_bad_change_of_password_changes_nothing(client_of, bob, field, value):
    assert client_of(bob).post(PASSWORD, CHANGE | {field: value}).status_code == 422
    bob.refresh_from_db()
    assert bob.check_password("bob-pass-phrase")


def test_anonymous_is_sent_to_sign_in_and_back(client, db):
    assert client.get(PASSWORD).url == f"{LOGIN}?next={PASSWORD}"


def test_the_first_superuser_comes_by_command(db, django_user_model, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "gold-on-the-stone")
    call_command("createsuperuser", "--no-input", username="root", email="", stdout=StringIO())
    root = django_user_model.objects.get(username="root")
    assert root.is_superuser
    assert root.check_password("gold-on-the-stone")


def test_djangos_admin_opens_for_a_superuser_and_writes_no_records(admin_client, client_of, bob, project):
    assert admin_client.get("/admin/annotate/project/").status_code == 200
    assert admin_client.get(f"/admin/annotate/project/{project.pk}/change/").status_code == 200
    assert admin_client.get("/admin/annotate/project/add/").status_code == 403
    assert client_of(bob).get("/admin/annotate/project/").status_code == 302
