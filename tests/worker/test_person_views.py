"""The pages of personal data: one's own for everybody, all people for superusers, with the way out."""

import io
import zipfile

import pytest

from annotate.models import Event, User
from tests.inspector.making import judge, make_item

MINE = "/account/data/"
PEOPLE = "/people/"


@pytest.fixture
def root(person, client_of):
    return client_of(User.objects.create_superuser("root", password="root-pass-phrase"))


@pytest.fixture
def judged(project, bob):
    return judge(make_item(project, "why?", "a", "b"), [], outcome="tie", rater=bob, rationale="so", served="gold")


def names(response):
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_everybody_sees_and_takes_what_is_stored_about_them(client_of, bob, judged):
    browser = client_of(bob)
    assert "<td>judgements</td>" in browser.get(MINE).content.decode()
    file = browser.get(f"{MINE}file/")
    assert file.headers["Content-Disposition"] == f'attachment; filename="person-{bob.pk}.zip"'
    found = names(file)
    assert '"rationale": "so"' in found["annotate.Judgement.rater.jsonl"]
    assert "gold" not in str(found)


def test_a_superuser_takes_what_is_stored_about_anybody(root, bob, judged):
    assert "gold" in str(names(root.get(f"{PEOPLE}{bob.pk}/file/")))


def test_the_ledger_tells_who_took_anothers_file_and_not_that_one_took_ones_own(root, client_of, bob):
    client_of(bob).get(f"{MINE}file/")
    root.get(f"{PEOPLE}{bob.pk}/file/")
    event = Event.objects.get(kind="person.exported")
    assert (event.actor.username, event.subject) == ("root", f"user:{bob.pk}")
    assert "took the file of all that is stored about bob" in root.get("/audit/").content.decode()


def test_people_are_found_by_name(root, project, bob):
    page = root.get(PEOPLE).content.decode()
    assert "alice" in page
    assert "Answers" in page
    found = root.get(PEOPLE, {"q": "BO"}).content.decode()
    assert f"{PEOPLE}{bob.pk}/" in found
    assert ">alice<" not in found
    assert "Nobody of this name" in root.get(PEOPLE, {"q": "zzz\0"}).content.decode()


def test_it_is_said_how_long_things_are_kept(root, settings):
    settings.RETENTION = {"drafts": 90}
    page = root.get(PEOPLE).content.decode()
    assert "90 days" in page
    assert "for ever" in page


def test_the_page_says_what_an_erasure_would_touch(root, project, alice, bob, judged):
    page = root.get(f"{PEOPLE}{bob.pk}/").content.decode()
    assert "1 judgement with 0 marks" in page
    assert "1 × judgements with reasons" in page
    assert "checked" not in page  # nothing is chosen beforehand
    assert "left without an admin" in root.get(f"{PEOPLE}{alice.pk}/").content.decode()


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"judgements": "keep", "name": "bo"}, "not the name of the account"),
        ({"judgements": "keep"}, "required"),
        ({"name": "bob"}, "required"),
        ({"judgements": "burn", "name": "bob"}, "not one of the available choices"),
    ],
)
def test_without_the_name_and_a_choice_nothing_happens(root, project, bob, sent, told):
    answer = root.post(f"{PEOPLE}{bob.pk}/erase/", sent)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    bob.refresh_from_db()
    assert bob.erased_at is None


@pytest.mark.parametrize(("choice", "left"), [("keep", 1), ("remove", 0)])
def test_a_person_is_erased_as_chosen(root, client_of, project, bob, judged, choice, left):
    own = client_of(bob)
    answer = root.post(f"{PEOPLE}{bob.pk}/erase/", {"judgements": choice, "name": "bob"}, follow=True)
    assert "This person was erased" in answer.content.decode()
    assert project.judgements.count() == left
    assert own.get("/").status_code == 302  # signed out
    assert ">bob<" not in root.get(PEOPLE).content.decode()


def test_oneself_and_a_model_are_not_erased_here(root, bob):
    me = User.objects.get(username="root")
    answer = root.post(f"{PEOPLE}{me.pk}/erase/", {"judgements": "keep", "name": "root"})
    assert answer.status_code == 422
    assert "Another superuser" in answer.content.decode()
    User.objects.filter(pk=bob.pk).update(is_machine=True)
    assert root.get(f"{PEOPLE}{bob.pk}/").status_code == 404


def test_who_may(client_of, project, alice, bob, client):
    for user in (alice, bob):  # an admin of a project is not one of the site
        them = client_of(user)
        assert {them.get(url).status_code for url in (PEOPLE, f"{PEOPLE}{bob.pk}/", f"{PEOPLE}{bob.pk}/file/")} == {403}
        assert them.post(f"{PEOPLE}{bob.pk}/erase/", {"judgements": "keep", "name": "bob"}).status_code == 403
    assert client.get(MINE).status_code == 302
    assert not User.objects.exclude(erased_at=None).exists()
