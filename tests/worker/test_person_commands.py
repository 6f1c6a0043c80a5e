"""Personal data from the shell."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Event
from tests.inspector.making import judge, make_item


def told(*args):
    out = io.StringIO()
    call_command(*args, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def test_a_person_is_written_into_a_new_file(project, bob, tmp_path):
    path = tmp_path / "bob.zip"
    assert told("export_person", "bob", str(path))["rows"]["annotate.Membership.user"] == 1
    assert "account.json" in zipfile.ZipFile(path).namelist()
    with pytest.raises(CommandError, match="exists"):
        call_command("export_person", "bob", str(path))
    with pytest.raises(CommandError):
        call_command("export_person", "nobody", str(tmp_path / "x.zip"))
    assert Event.objects.get(kind="person.exported").subject == f"user:{bob.pk}"


def test_erasing_asks_for_the_name_once_more(project, bob):
    assert told("erase_person", "bob")["gone"]["memberships"] == 1
    with pytest.raises(CommandError, match="not the name"):
        call_command("erase_person", "bob", "--confirm", "alice")
    bob.refresh_from_db()
    assert bob.erased_at is None
    found = told("erase_person", "bob", "--judgements", "remove", "--confirm", "bob")
    bob.refresh_from_db()
    assert found == {"erased": True, "pseudonym": bob.username, "removed": 0}


def test_a_rater_without_an_account_is_named_with_the_project(project):
    judge(make_item(project, "why?", "a", "b"), [], outcome="tie", rater_name="Dana")
    asked = ("erase_person", "Dana", "--in-project", "answers", "--judgements", "remove")
    assert told(*asked) == {"judgements": 1, "erased": False}
    with pytest.raises(CommandError, match="not the name"):
        call_command(*asked, "--confirm", "dana")
    assert told(*asked, "--confirm", "Dana") == {"erased": True, "removed": 1}
    with pytest.raises(CommandError, match="under this name"):
        call_command(*asked, "--confirm", "Dana")


@pytest.mark.django_db
def test_a_dry_run_says_counts():
    found = told("retention", "--dry-run")
    assert found["dry_run"] is True
    assert found["rows"] == {"deliveries": 0, "sessions": 0, "answers_to_programs": 0}
