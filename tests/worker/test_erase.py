"""A person erased: no table says the name any more, nothing is half done, and what was counted is right at once."""

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import AccessToken, Case, Comment, Event, Judgement, Membership, RaterTally, Task, User
from annotate.services.access_token import create_token
from annotate.services.comment import add_comment
from annotate.services.flag import flag_task
from annotate.services.invite import create_invite, join
from annotate.services.judgement import submit_judgement
from annotate.services.queue import lease_next
from annotate.services.task import assign_tasks
from annotate.services.withdraw import restore, withdraw_rater
from tests.annotate.test_tally import count, judged, texts  # noqa: F401
from tests.annotate.test_withdraw import from_scratch, told
from tests.inspector.making import make_version
from worker.models import Snapshot, SnapshotRow, Summary
from worker.services import erase
from worker.services.affected import note_withdrawals
from worker.services.erase import erase_name, erase_person, preview
from worker.services.snapshot import freeze
from worker.services.summary import keep
from worker.upkeep.doctor.versions import _snapshots

NAME = "robert-tables"


@pytest.fixture
def robert(person):
    user = person(NAME)
    user.first_name, user.email, user.keys = "Robert", "robert@example.org", {"next": "x"}
    user.save()
    return user


@pytest.fixture
def root(person):
    return User.objects.create_superuser("root", password="root-pass-phrase")


@pytest.fixture
def worked(judged, robert, alice, client_of):  # noqa: F811
    """Robert came by an invite, judged one task, flagged it, has another on the desk; Ann's are renamed to his name."""
    join(token=create_invite(project=judged, role="annotator", actor=alice, note=f"For {NAME}")[1], user=robert)
    lease = lease_next(project=judged, user=robert)
    answer = {"outcome": "tie", "schema_version": 1, "texts_sha256": texts(lease), "rationale": "I saw it."}
    submit_judgement(assignment=lease, user=robert, answer=answer, idempotency_key="r")
    flag_task(assignment=lease, user=robert, note="Look here")
    add_comment(task=lease.task, author=robert, text="So it is.")
    lease_next(project=judged, user=robert)
    assign_tasks(project=judged, tasks=judged.tasks.all(), users=[robert], actor=alice)
    judged.judgements.filter(rater_name="ann").update(rater_name=NAME)
    create_token(user=robert, name="script", scopes=["see"], expires_at=None, actor=robert)
    client_of(robert)
    count(judged)
    return judged


def trained_on(project, rows):
    """A version, with its snapshot, of these judgements."""
    version = make_version(project)
    SnapshotRow.objects.bulk_create(
        SnapshotRow(snapshot=version.snapshot, judgement=row, split="train") for row in rows
    )
    keep(version=version, name="raters", made_of="x", values={"rater": NAME})
    return version


def everything():
    """The text of every column of every row."""
    for model in apps.get_models(include_auto_created=True):
        for row in model._base_manager.all():
            yield f"{model.__name__} { ({name: value for name, value in vars(row).items() if name != '_state'}) }"


@pytest.mark.parametrize("remove", [False, True])
def test_no_table_says_the_name_any_more(worked, robert, root, remove):
    trained_on(worked, worked.judgements.all())
    withdraw_rater(project=worked, who=f"name:{NAME}", why="A test.", actor=root)
    assert any(NAME in text for text in everything())
    erase_person(user=robert, remove=remove, actor=root)
    assert [text for text in everything() if NAME in text or "robert@" in text or "Robert" in text] == []


def test_judgements_stay_under_a_pseudonym_that_nobody_can_use(worked, robert, root, client_of):
    before = told(worked)
    said = Judgement.objects.filter(rater=robert).count()
    assert erase_person(user=robert, remove=False, actor=root) == 0
    robert.refresh_from_db()
    assert robert.username.startswith("erased-")
    assert (robert.is_active, robert.has_usable_password(), robert.last_login, robert.keys) == (False, False, None, {})
    assert Judgement.objects.filter(rater=robert).count() == said
    assert Judgement.objects.filter(rater_name=robert.username).exists()
    assert not Membership.objects.filter(user=robert).exists()
    assert not AccessToken.objects.filter(user=robert).exists()
    assert not Session.objects.exists()
    assert not robert.assignments.filter(state="leased").exists()
    assert Comment.objects.get(author=robert).text == "So it is."
    *parts, sums = told(worked)
    assert parts == before[:-1]
    assert {who for who, _ in sums} >= {f"user:{robert.pk}", f"name:{robert.username}"}
    assert told(worked) == from_scratch(worked)


def test_judgements_that_are_removed_leave_no_trace_in_any_count(worked, robert, root):
    task = Task.objects.get(judgements__rater=robert)
    theirs = worked.judgements.filter(rater=robert).count() + worked.judgements.filter(rater_name=NAME).count()
    others = worked.judgements.count() - theirs
    open_before, desk = task.open_slots, robert.assignments.get(state="leased").task
    desk_before = desk.open_slots
    assert erase_person(user=robert, remove=True, actor=root) == theirs
    assert worked.judgements.count() == others
    task.refresh_from_db()
    desk.refresh_from_db()
    assert task.open_slots == open_before + 1  # somebody else is asked
    assert desk.open_slots == desk_before + 1
    assert not robert.assignments.exists()
    assert not Comment.objects.filter(author=robert).exists()
    assert Case.objects.get().note == ""
    assert not RaterTally.objects.filter(who__in=[f"user:{robert.pk}", f"name:{NAME}"]).exists()
    assert told(worked) == from_scratch(worked)


def test_versions_trained_on_what_is_removed_are_marked_and_their_snapshot_keeps_its_hash(worked, robert, root):
    version = trained_on(worked, worked.judgements.all())
    sha256, rows = version.snapshot.sha256, version.snapshot.rows.count()
    removed = erase_person(user=robert, remove=True, actor=root)
    version.refresh_from_db()
    snapshot = Snapshot.objects.get()
    assert version.affected == {"withdrawn": removed, "erased": removed}
    assert (snapshot.sha256, snapshot.erased, snapshot.rows.count()) == (sha256, removed, rows - removed)
    note_withdrawals(project=worked)
    version.refresh_from_db()
    assert version.affected["erased"] == removed  # also when it is counted again
    assert not Summary.objects.exists()


def test_versions_stay_unmarked_where_judgements_stay(worked, robert, root):
    version = trained_on(worked, worked.judgements.all())
    keep(version=version, name="suite 1", made_of="x", values={"right": 3})
    erase_person(user=robert, remove=False, actor=root)
    version.refresh_from_db()
    assert version.affected_at is None
    assert Summary.objects.get().name == "suite 1"  # the others named raters


def test_a_case_that_was_decided_by_a_removed_judgement_is_open_again(worked, robert, root):
    said = Judgement.objects.get(rater=robert)
    closed = {"state": "decided", "closed_by": robert, "closed_at": timezone.now(), "reason": "so"}
    Case.objects.filter(task=said.task).update(judgement=said, **closed)
    erase_person(user=robert, remove=True, actor=root)
    case = Case.objects.get(task=said.task)
    assert (case.state, case.judgement, case.closed_by) == ("open", None, None)


def test_a_withdrawal_can_still_be_undone(worked, robert, root):
    event = withdraw_rater(project=worked, who=f"name:{NAME}", why="A test.", actor=root)
    erase_person(user=robert, remove=False, actor=root)
    event.refresh_from_db()
    assert restore(event=event, actor=root) == event.data["judgements"]


def test_the_ledger_says_that_it_was_done_and_not_to_whom(worked, robert, root):
    erase_person(user=robert, remove=True, actor=root)
    event = Event.objects.get(kind="person.erased")
    assert (event.actor, event.subject) == (root, f"user:{robert.pk}")
    assert NAME not in str(event.data)


def test_asked_again_it_does_nothing_again(worked, robert, root):
    erase_person(user=robert, remove=False, actor=root)
    name = robert.username
    assert erase_person(user=robert, remove=False, actor=root) == 0
    assert Event.objects.filter(kind="person.erased").count() == 1
    assert erase_person(user=robert, remove=True, actor=root) > 0  # what was kept can go later
    robert.refresh_from_db()
    assert robert.username == name
    assert erase_person(user=robert, remove=True, actor=root) == 0


def test_all_or_nothing(worked, robert, root, monkeypatch):
    def broken(**_):
        raise OSError("No space left on device")

    before = sorted(everything())
    monkeypatch.setattr(erase, "become_nobody", broken)
    with pytest.raises(OSError, match="space"):
        erase_person(user=robert, remove=True, actor=root)
    assert sorted(everything()) == before


def test_what_it_would_touch_is_counted_and_untouched(worked, robert, alice):
    version = trained_on(worked, worked.judgements.all())
    add_comment(task=worked.tasks.first(), author=alice, text=f"Ask {NAME}.")
    before = sorted(everything())
    found = preview(robert)
    assert sorted(everything()) == before
    assert (found.judgements, found.imported) == (1, worked.judgements.filter(rater_name=NAME).count())
    assert found.texts == {
        "judgements with reasons, corrections or answers": 1, "comments": 1, "notes on flagged tasks": 1,
    }  # fmt: skip
    assert found.gone["tasks on the desk"] == found.gone["sessions"] == found.gone["access tokens"] == 1
    assert found.elsewhere["comments of others"] == 1
    assert found.versions == [(worked.slug, version.number)]
    assert found.left == []
    assert preview(alice).left == [worked.slug]


@pytest.mark.parametrize("remove", [False, True])
def test_a_rater_without_an_account_is_erased_by_name_in_one_project(worked, root, remove):
    trained_on(worked, worked.judgements.all())
    withdraw_rater(project=worked, who="name:ben", why="A test.", actor=root)
    count(worked)
    theirs, all_of_it = worked.judgements.filter(rater_name="ben").count(), worked.judgements.count()
    removed = erase_name(project=worked, name="ben", remove=remove, actor=root)
    assert removed == (theirs if remove else 0)
    assert worked.judgements.count() == all_of_it - removed
    assert [text for text in everything() if "'ben'" in text or "name:ben" in text] == []
    assert told(worked) == from_scratch(worked)
    assert Event.objects.get(kind="rater.erased").actor == root
    with pytest.raises(ValidationError):
        erase_name(project=worked, name="ben", remove=remove, actor=root)


def test_the_doctor_finds_a_snapshot_whole_whose_raters_were_erased(worked, robert, root):
    snapshot = freeze(project=worked)
    erase_person(user=robert, remove=True, actor=root)
    assert list(_snapshots()) == []
    snapshot.rows.first().delete()
    assert len(list(_snapshots())) == 1


def test_others_are_not_touched(worked, robert, root, alice):
    def of_others():
        rows = Judgement.objects.exclude(rater=robert).exclude(rater_name=NAME).order_by("pk").values()
        return [
            *rows,
            *User.objects.exclude(pk=robert.pk).order_by("pk").values(),
            *RaterTally.objects.filter(who="name:ben").values(),
        ]

    before = of_others()
    erase_person(user=robert, remove=True, actor=root)
    assert len(before) > 4
    assert of_others() == before


def test_models_oneself_and_the_last_superuser_are_not_erased(robert, root):
    robert.is_machine = True
    robert.save()
    for who, actor in ((robert, root), (root, root), (root, None)):
        with pytest.raises(ValidationError):
            erase_person(user=who, remove=False, actor=actor)
    assert not User.objects.exclude(erased_at=None).exists()
