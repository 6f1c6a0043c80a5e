"""What is stored about a person, in one file: all of it, no secret, and nothing that blind judging hides from them."""

import io
import json
import zipfile

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session

from annotate.models import Assignment, Event, Judgement, User
from annotate.services.access_token import create_token
from annotate.services.comment import add_comment
from annotate.services.draft import save_draft
from annotate.services.queue import lease_next
from tests.inspector.making import judge, make_item, mark
from worker.services.person import PARTS, export_person, sessions_of


def read(file):
    """{name: its lines as values}; the account is one value, and the README a text."""
    with zipfile.ZipFile(io.BytesIO(file.read())) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    lines = {name: list(map(json.loads, text.splitlines())) for name, text in found.items() if name.endswith("jsonl")}
    return lines | {"account": json.loads(found["account.json"]), "README": found["README.txt"]}


@pytest.fixture
def busy(project, bob, client_of):
    """Bob has judged and marked, has a draft, a comment, a token and a browser that is signed in."""
    items = [make_item(project, f"why {n}?", f"Because of {n}.", "It is so.") for n in range(2)]
    first = items[0].responses.first()
    mark(
        judge(items[0], [list(items[0].responses.all())], rater=bob, rationale="I know it", served="gold"),
        first,
        "of 0",
    )
    judge(items[1], [], outcome="tie", rater_name="bob", rationale="under his name")
    lease = lease_next(project=project, user=bob)
    save_draft(assignment=lease, draft={"note": "half done"}, revision=0)
    add_comment(task=lease.task, author=bob, text="Is this right?")
    create_token(user=bob, name="my script", scopes=["see"], expires_at=None, actor=bob)
    client_of(bob)
    return bob


def test_every_field_that_points_to_a_person_is_in_the_file():
    """A new one must be named in PARTS, with what becomes of it when the person is erased."""
    pointing = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.related_model is User
    }
    assert pointing == set(PARTS)


def test_every_hidden_column_exists():
    for part, how in PARTS.items():
        names = {field.name for field in apps.get_model(part.rpartition(".")[0])._meta.concrete_fields}
        assert set(how.hidden) <= names


def test_all_that_is_stored_about_a_person_is_in_the_file(busy):
    found = read(export_person(busy, own=False))
    assert found["account"]["username"] == "bob"
    (said,) = found["annotate.Judgement.rater.jsonl"]
    assert said["rationale"] == "I know it"
    assert said["served"] == "gold"
    assert found["Span.jsonl"][0]["quote"] == "of 0"
    assert found["annotate.Assignment.rater.jsonl"][0]["draft"] == {"note": "half done"}
    assert found["annotate.Comment.author.jsonl"][0]["text"] == "Is this right?"
    assert found["annotate.AccessToken.user.jsonl"][0]["name"] == "my script"
    assert found["annotate.Membership.user.jsonl"][0]["role"] == "annotator"
    assert len(found["annotate.Event.actor.jsonl"]) == Event.objects.filter(actor=busy).count()
    assert len(found["Session.jsonl"]) == 1
    assert found["annotate.Judgement.rater_name.jsonl"][0]["rationale"] == "under his name"
    assert "bob" in found["README"]


def test_it_holds_no_secret_and_nobody_else(busy, alice):
    text = str(read(export_person(busy, own=False)))
    token, session = busy.tokens.get(), Session.objects.get()
    for secret in (busy.password, token.sha256, session.session_key, session.session_data):
        assert secret not in text
    assert "alice" not in text


def test_ones_own_file_does_not_tell_hidden_tasks_apart(busy):
    found = read(export_person(busy, own=True))
    (said,), (lease,) = found["annotate.Judgement.rater.jsonl"], found["annotate.Assignment.rater.jsonl"]
    assert said["rationale"] == "I know it"
    assert not {"task_id", "kind", "right", "served", "probability", "weight"} & set(said)
    assert not {"task_id", "kind", "holds_slot", "reason", "probability"} & set(lease)
    assert "annotate.Judgement.rater_name.jsonl" not in found  # who made an account under a name is not yet its bearer


def test_ones_own_file_numbers_no_task(busy):
    """A gold task was made on another day, so that its number would tell it before it is answered."""
    found = read(export_person(busy, own=True))
    rows = [row for name, rows in found.items() if name.endswith(".jsonl") for row in rows]
    assert rows
    assert not [row for row in rows if "task_id" in row or "task:" in str(row.values())]


def test_a_person_of_whom_nothing_is_stored_gets_the_account_alone(charlie):
    assert set(read(export_person(charlie, own=True))) == {"account", "README"}


def test_only_ones_own_sessions_are_counted(busy, alice, client_of):
    client_of(alice)
    assert [len(sessions_of(who)) for who in (busy, alice)] == [1, 1]


def test_the_file_is_read_row_by_row(busy, django_assert_max_num_queries):
    with django_assert_max_num_queries(len(PARTS) + 5):
        read(export_person(busy, own=False))
    assert Judgement.objects.filter(rater=busy).count() == Assignment.objects.filter(rater=busy).count() == 1
