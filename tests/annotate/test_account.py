import re
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import get_user
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from annotate.services.invite import create_invite

LOGIN, PASSWORD, HOME = map(reverse, ("annotate:login", "annotate:password", "annotate:home"))
WRONG = {"username": "bob", "password": "not it"}
RIGHT = {"username": "bob", "password": "bob-pass-phrase"}
CHANGE = {"old_password": "bob-pass-phrase", "new_password1": "stone-and-gold", "new_password2": "stone-and-gold"}


def test_bob_signs_in_and_goes_where_he_wanted(client, bob):
    response = client.post(LOGIN, RIGHT | {"next": "/password/"})
    assert (response.status_code, response.url) == (302, "/password/")
    assert get_user(client) == bob


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "///evil.example", "nowhere", "a\0"]
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
    assert here.post(PASSWORD, CHANGE).url == reverse("annotate:account")
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


@pytest.mark.parametrize("secret", ["short1!", "password123", "8462759103", "charlie-s"])
def test_no_weak_password_passes_wherever_one_is_set(
    client, admin_client, client_of, project, bob, monkeypatch, secret
):
    """Too short, too common, all digits, like the name."""
    _, token = create_invite(project=project, role="annotator")
    new = {"username": "charlie", "password1": secret, "password2": secret}
    assert client.post(reverse("annotate:invite", args=[token]), new).status_code == 422
    change = {"old_password": "bob-pass-phrase", "new_password1": secret, "new_password2": secret}
    if secret != "charlie-s":
        assert client_of(bob).post(PASSWORD, change).status_code == 422
    assert admin_client.post("/admin/annotate/user/add/", new | {"usable_password": "true"}).status_code == 200
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", secret)
    with pytest.raises(CommandError, match=r"DJANGO_SUPERUSER_PASSWORD: Th(is|e) password is"):
        call_command("createsuperuser", "--no-input", username="charlie", email="", stdout=StringIO())
    assert not type(bob).objects.filter(username="charlie").exists()


def test_nothing_makes_an_account_without_an_invite(client, client_of, bob, project):
    secret = "stone-and-gold"
    new = {"username": "eve", "password": secret, "password1": secret, "password2": secret}
    for path in ("/login/", "/login/code/", "/invite/none/", "/signup/", "/accounts/", "/admin/annotate/user/add/"):
        for browser in (client, client_of(bob)):
            assert browser.post(path, new).status_code in (302, 403, 404, 422), path
    assert not type(bob).objects.filter(username="eve").exists()


def test_accounts_are_made_in_three_places():
    """By an invite; for models, which never sign in; and by the demo, with a random password that is said once."""
    root, made = (
        Path(__file__).resolve().parents[2],
        r"User\.objects\.(create|get_or_create|bulk_create|update_or_create)",
    )
    paths = [path for room in ("annotate", "worker", "inspector", "config") for path in (root / room).rglob("*.py")]
    found = {str(path.relative_to(root)) for path in paths if re.search(made, path.read_text())}
    assert found == {"annotate/services/access_token.py", "annotate/services/invite.py", "worker/services/demo.py"}


def test_djangos_admin_opens_for_a_superuser_and_writes_no_records(admin_client, client_of, bob, project):
    assert admin_client.get("/admin/annotate/project/").status_code == 200
    assert admin_client.get(f"/admin/annotate/project/{project.pk}/change/").status_code == 200
    assert admin_client.get("/admin/annotate/project/add/").status_code == 403
    assert client_of(bob).get("/admin/annotate/project/").status_code == 302
