import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from annotate.models import Invite, Role
from annotate.services.member import change_role, remove_member


def url(name, *args):
    return reverse(f"annotate:{name}", args=["answers", *args])


@pytest.fixture
def admin(client_of, project, alice):
    return client_of(alice)


@pytest.fixture
def bobs(project, bob):
    return project.memberships.get(user=bob)


def test_the_page_lists_people_and_invites(admin):
    admin.post(url("invite_create"), {"role": "reviewer", "days": 3, "note": "for Dora"})
    page = admin.get(url("members")).content.decode()
    assert "alice" in page
    assert "for Dora" in page
    assert "open" in page


def test_the_link_is_shown_once_and_lets_somebody_in(admin, client_of, charlie, project):
    response = admin.post(url("invite_create"), {"role": "reviewer", "days": 3, "note": ""})
    link = response.context["link"]
    assert link in response.content.decode()
    assert link.rsplit("/", 2)[1] not in admin.get(url("members")).content.decode()
    client_of(charlie).post(link)
    assert project.memberships.get(user=charlie).role == Role.REVIEWER


@pytest.mark.parametrize("bad", [{"role": "owner"}, {"days": 0}, {"days": 31}, {"note": "x" * 121}])
def test_a_bad_invite_is_not_made(admin, bad):
    assert admin.post(url("invite_create"), {"role": "reviewer", "days": 3} | bad).status_code == 422
    assert not Invite.objects.exists()


def test_an_invite_is_withdrawn(admin):
    admin.post(url("invite_create"), {"role": "reviewer", "days": 3})
    invite = Invite.objects.get()
    assert admin.get(url("invite_revoke", invite.pk)).status_code == 405
    assert admin.post(url("invite_revoke", invite.pk)).url == url("members")
    assert not Invite.objects.usable().exists()


def test_a_role_is_changed(admin, bobs):
    assert admin.post(url("member_role", bobs.pk), {"role": "researcher"}).url == url("members")
    bobs.refresh_from_db()
    assert bobs.role == Role.RESEARCHER


def test_an_unknown_role_is_refused(admin, bobs):
    assert admin.post(url("member_role", bobs.pk), {"role": "owner"}).status_code == 422
    bobs.refresh_from_db()
    assert bobs.role == Role.ANNOTATOR


def test_a_member_is_removed(admin, client_of, bob, bobs):
    assert admin.post(url("member_remove", bobs.pk)).url == url("members")
    assert client_of(bob).get(url("project")).status_code == 404


def test_the_last_admin_stays(admin, project, alice):
    own = project.memberships.get(user=alice)
    admin.post(url("member_remove", own.pk))
    response = admin.post(url("member_role", own.pk), {"role": "annotator"}, follow=True)
    assert "needs an admin" in response.content.decode()
    own.refresh_from_db()
    assert own.role == Role.ADMIN


def test_one_of_two_admins_may_go_and_then_the_other_may_not(project, alice, bob, bobs):
    change_role(member=bobs, role=Role.ADMIN, actor=alice)
    remove_member(member=project.memberships.get(user=alice), actor=bob)
    with pytest.raises(ValidationError):
        remove_member(member=bobs, actor=bob)


def test_who_was_removed_meanwhile_gets_no_role(project, alice, bobs):
    stale = project.memberships.get(pk=bobs.pk)
    remove_member(member=bobs, actor=alice)
    with pytest.raises(ValidationError, match="has left"):
        change_role(member=stale, role=Role.REVIEWER, actor=alice)


def test_who_became_the_last_admin_meanwhile_stays(project, alice, bob, bobs):
    stale = project.memberships.get(pk=bobs.pk)
    change_role(member=bobs, role=Role.ADMIN, actor=alice)
    remove_member(member=project.memberships.get(user=alice), actor=bob)
    with pytest.raises(ValidationError, match="needs an admin"):
        remove_member(member=stale, actor=alice)
