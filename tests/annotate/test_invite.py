from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from annotate.models import Event, Invite, Membership, Role, User
from annotate.services.invite import create_invite, join, revoke_invite, sign_up

DORA = {"username": "dora", "password1": "stone-and-gold", "password2": "stone-and-gold"}


@pytest.fixture
def invited(project, alice):
    """An invite as reviewer, and its token."""
    return create_invite(project=project, role=Role.REVIEWER, actor=alice, note="Dora")


@pytest.fixture
def link(invited):
    return reverse("annotate:invite", args=[invited[1]])


def test_only_the_hash_of_the_token_is_kept(invited):
    invite, token = invited
    assert token not in str(Invite.objects.filter(pk=invite.pk).values().get())
    assert token not in str(list(Event.objects.values()))
    assert timedelta(days=6, hours=23) < invite.expires_at - timezone.now() <= timedelta(days=7)


def test_a_new_person_makes_an_account_and_is_in(client, link, project):
    page = client.get(link)
    assert page.status_code == 200
    assert b"Answers" in page.content
    assert b"reviewer" in page.content
    assert client.post(link, DORA).url == reverse("annotate:project", args=[project.slug])
    assert get_user(client).username == "dora"
    assert project.memberships.get(user__username="dora").role == Role.REVIEWER
    assert client.get("/p/answers/").status_code == 200


def test_a_signed_in_person_joins(client_of, charlie, link, project, invited):
    assert b"Join as charlie" in client_of(charlie).get(link).content
    assert client_of(charlie).post(link).status_code == 302
    assert project.memberships.get(user=charlie).role == Role.REVIEWER
    assert Invite.objects.get(pk=invited[0].pk).used_by == charlie


def test_a_link_works_once(client, client_of, charlie, link):
    client_of(charlie).post(link)
    assert client.get(link).status_code == 404
    assert client.post(link, DORA).status_code == 404
    assert not User.objects.filter(username="dora").exists()


@pytest.mark.parametrize(
    "change", [{"expires_at": timezone.now() - timedelta(seconds=1)}, {"revoked_at": timezone.now()}]
)
def test_a_dead_link_looks_like_an_invented_one(client, link, invited, change):
    Invite.objects.update(**change)
    dead, invented = client.get(link), client.get(reverse("annotate:invite", args=["invented"]))
    assert dead.status_code == invented.status_code == 404
    assert b"Answers" not in dead.content
    assert client.post(link, DORA).status_code == 404


@pytest.mark.parametrize(
    "bad", [{"password1": "12345678", "password2": "12345678"}, {"password2": "other"}, {"username": "ALICE"}]
)
def test_a_bad_sign_up_leaves_the_link_good(client, link, invited, bad):
    assert client.post(link, DORA | bad).status_code == 422
    assert Invite.objects.usable().filter(pk=invited[0].pk).exists()
    assert User.objects.count() == 2


def test_a_member_keeps_the_role_and_the_link_stays_good(client_of, bob, link, project):
    assert b"already" in client_of(bob).get(link).content
    client_of(bob).post(link)
    assert project.memberships.get(user=bob).role == Role.ANNOTATOR
    assert Invite.objects.usable().count() == 1


def test_of_two_who_race_one_gets_in(invited, charlie, person, monkeypatch):
    """Both have seen the link as good; the second writes after the first."""
    dora, token = person("dora"), invited[1]
    assert join(token=token, user=charlie).role == Role.REVIEWER
    with pytest.raises(ValidationError):
        join(token=token, user=dora)
    with pytest.raises(ValidationError):
        sign_up(token=token, username="eve", password="stone-and-gold")
    assert not Membership.objects.filter(user=dora).exists()
    assert not User.objects.filter(username="eve").exists()


def test_the_slower_of_two_new_people_sees_why(client, link, invited, charlie, monkeypatch):
    """Charlie takes the link between Dora's page being checked and her account being made."""
    from annotate.forms import SignUpForm

    check = SignUpForm.is_valid
    monkeypatch.setattr(SignUpForm, "is_valid", lambda form: check(form) and bool(join(token=invited[1], user=charlie)))
    response = client.post(link, DORA)
    assert response.status_code == 404
    assert b"does not work" in response.content
    assert not get_user(client).is_authenticated


def test_a_name_taken_meanwhile_leaves_the_link_good(client, link, person, monkeypatch):
    """Another Dora signs up between the form being checked and the account being made."""
    from annotate.forms import SignUpForm

    check, late = SignUpForm.is_valid, iter([True])
    monkeypatch.setattr(SignUpForm, "is_valid", lambda form: check(form) and bool(next(late, 0) and person("dora")))
    response = client.post(link, DORA)
    assert response.status_code == 422
    assert b"already exists" in response.content
    assert Invite.objects.usable().count() == 1


def test_a_used_link_cannot_be_withdrawn(invited, charlie, alice):
    join(token=invited[1], user=charlie)
    assert revoke_invite(invite=invited[0], actor=alice) is False
    assert Invite.objects.get(pk=invited[0].pk).state == "used"
