"""Each promise of the store is broken by hand, found, and where it can be derived repaired."""

import io
import json
import os
import time

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from annotate.models import Judgement, User
from worker.models import Job, Version
from worker.services.erase import erase_name, erase_person
from worker.services.export import archive_of
from worker.upkeep.doctor import CHECKS, examine

BY_PERSON = "assignment_id IS NOT NULL AND NOT superseded"
FIRST = f"(SELECT min(id) FROM annotate_judgement WHERE {BY_PERSON})"
STORED = "(SELECT min(id) FROM annotate_judgement WHERE assignment_id IS NULL)"

# Statements that break something; the check that finds it; whether a repair puts it right.
BREAKS = [
    ("DELETE FROM django_migrations WHERE app = 'worker'", "migrations", False),
    ("PRAGMA ignore_check_constraints = ON; UPDATE annotate_task SET open_slots = 9 WHERE id = 1;"
     " PRAGMA ignore_check_constraints = OFF", "pages", False),
    ("DELETE FROM annotate_item WHERE id = 1", "references", False),
    (f"DELETE FROM annotate_span; DELETE FROM annotate_judgement WHERE id = {FIRST}", "unanswered", False),
    (f"UPDATE annotate_assignment SET state = 'expired' WHERE id = (SELECT assignment_id FROM annotate_judgement"
     f" WHERE id = {FIRST})", "unsubmitted", True),
    ("UPDATE annotate_judgement SET supersedes_id = NULL", "revisions", False),
    ("UPDATE annotate_judgement SET revision = 5 WHERE revision = 2", "revisions", False),
    ("UPDATE annotate_judgement SET assignment_id = NULL, superseded = false WHERE superseded", "revisions", True),
    ("UPDATE annotate_task SET open_slots = slots WHERE id = (SELECT max(task_id) FROM annotate_assignment)",
     "slots", True),
    ("UPDATE annotate_task SET open_slots = 0 WHERE open_slots = slots AND kind = 'normal'", "slots", True),
    ("UPDATE annotate_task SET reserved = true WHERE id = 1", "reservations", True),
    ("UPDATE annotate_project SET guidelines = 'Others.'", "numbers", True),
    ("UPDATE annotate_schemaversion SET number = 3", "numbers", False),
    ("DROP TRIGGER event_not_deleted; DELETE FROM annotate_event WHERE kind = 'judgement.revised'", "ledger", False),
    (f"DELETE FROM annotate_span; DELETE FROM annotate_judgement WHERE id = {STORED}", "ledger", False),
    ("DROP TRIGGER event_stays; UPDATE annotate_event SET subject = 'judgement:999999'"
     " WHERE kind = 'judgement.revised'", "ledger", False),
    ("DROP TRIGGER event_stays; UPDATE annotate_event SET subject ="
     " (SELECT subject FROM annotate_event WHERE kind = 'judgement.revised')"
     " WHERE kind = 'judgement.submitted'", "ledger", False),
    ("UPDATE annotate_response SET text = text || '.' WHERE id = 1", "hashes", False),
    ("UPDATE annotate_item SET prompt_sha256 = replace(prompt_sha256, 'a', 'b') WHERE id = 1", "hashes", False),
    (f"UPDATE annotate_judgement SET texts_sha256 = '{{}}' WHERE id = {STORED}", "shown", False),
    (f"UPDATE annotate_judgement SET shown_order = '[99999]' WHERE id = {STORED}", "shown", False),
    ("UPDATE annotate_span SET start = start + 1 WHERE id = 1", "quotes", False),
    ("UPDATE annotate_span SET quote = 'Other' WHERE id = 1", "quotes", False),
    ("UPDATE annotate_pattern SET units = units + 1 WHERE id = 1", "tallies", True),
    ("UPDATE annotate_tasktally SET raters = raters + 1 WHERE id = 1", "tallies", True),
    ("DELETE FROM annotate_tasktally", "tallies", True),
    ("DELETE FROM annotate_dispute", "tallies", True),
    ("UPDATE annotate_ratertally SET sums = '{\"judged\": 1}'", "tallies", True),
    ("UPDATE annotate_marktally SET sums = '[1.5, 3, [], []]'", "tallies", True),
    ("DELETE FROM worker_snapshotrow WHERE id = 1", "snapshots", False),
    ("UPDATE annotate_judgement SET strength = 3 - strength WHERE id IN (SELECT judgement_id FROM worker_snapshotrow)"
     " AND strength < 3", "snapshots", False),
    ("UPDATE worker_snapshotrow SET split = 'test' WHERE split = 'train'", "splits", False),
    ("UPDATE worker_suitepair SET chosen = chosen || '.' WHERE id = 1", "suites", False),
    ("UPDATE worker_suitescore SET chosen = 9, rejected = -9", "standings", True),
    ("DELETE FROM worker_summary", "standings", True),
    ("UPDATE worker_version SET metrics = '{\"comparisons\": 9999}'", "versions", False),
    ("UPDATE annotate_judgement SET withdrawn_at = created_at WHERE id IN (SELECT judgement_id FROM"
     " worker_snapshotrow WHERE id = 1)", "marks", True),
    ("DELETE FROM worker_score WHERE head = 'attribute:helpful' AND id % 5 = 0", "heads", False),
    ("DELETE FROM worker_candidatescore; DELETE FROM worker_candidate WHERE id = 1", "pools", False),
    ("DELETE FROM worker_poolcolumn", "columns", True),
    ("UPDATE worker_candidatescore SET value = value + 1", "columns", True),
    ("UPDATE worker_job SET state = 'running', claim = 'c', finished_at = NULL, heartbeat_at = '2020-01-01'"
     " WHERE kind = 'import'", "stuck", True),
    ("UPDATE worker_job SET heartbeat_at = '2020-01-01' WHERE kind = 'import'", "stuck", True),
    ("UPDATE worker_job SET claim = 'left' WHERE kind = 'train'", "claims", True),
    ("UPDATE worker_job SET finished_at = NULL WHERE kind = 'train'", "claims", True),
    ("DELETE FROM worker_jobevent WHERE number = 1", "logs", False),
    ("UPDATE worker_job SET params = '{\"file\": \"gone\"}' WHERE kind = 'import'", "uploads", False),
]  # fmt: skip


def look(*names, repair=False):
    """What the checks of these names, or all of them, say."""
    chosen = [check for check in CHECKS if not names or check.name in names]
    return examine(repair=repair, say=lambda *_: None, report=lambda *_: None, checks=chosen)


def test_a_healthy_store_is_clean(demo):
    told = look()
    assert told == {"clean": True, "faults": 0, "repaired": 0, "left": 0, "checks": {}}


@pytest.mark.parametrize(("statements", "name", "mends"), BREAKS, ids=lambda value: str(value)[:48])
def test_what_is_broken_by_hand_is_found_and_what_can_be_derived_is_repaired(sql, statements, name, mends):
    try:
        for statement in statements.split("; "):
            table = statement.replace("DELETE FROM", "UPDATE").split()[1]  # or whatever else it is about
            sql(statement.replace("WHERE id = 1", f"WHERE id = (SELECT min(id) FROM {table})"))
        found = look(name)["checks"][name]
        assert found["faults"] == found["left"] > 0
        assert found["examples"][0]["subject"]
        mended = look(name, repair=True)["checks"][name]
        assert (mended["left"] == 0) is mends
        assert look(name)["clean"] is mends
    finally:
        sql("PRAGMA ignore_check_constraints = OFF")


def test_each_check_has_its_break():
    on_postgres = {"sequences"}
    assert {check.name for check in CHECKS} == {name for _, name, _ in BREAKS} | {*BY_BYTES} | on_postgres


def test_a_damaged_or_lost_model_file_is_named(demo):
    path = settings.ARTIFACT_DIR / Version.objects.get().file
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"!")
    assert "damaged" in look("files", repair=True)["checks"]["files"]["examples"][0]["says"]
    path.unlink()
    assert "No such file" in look("files")["checks"]["files"]["examples"][0]["says"]
    path.write_bytes(whole)


BY_BYTES = ("files", "exports", "strays", "caches")
HALF = b"PK\x05\x06" + bytes(18)  # an archive without entries, where it is one
STRAYS = (
    "artifacts/job9-dead.safetensors.part",
    "artifacts/exports/abc/weights",
    "artifacts/exports/version77-model.zip",
    "artifacts/exports/version1-0123456789abcdef-model.zip",
    "artifacts/scored/job9-dead.jsonl",
    "artifacts/running/job999/step",
    "uploads/0123abcd",
    "embeddings/minilm/abc.part",
)


@pytest.mark.parametrize("place", STRAYS)
def test_a_file_that_nothing_names_is_moved_aside_and_not_deleted(demo, place):
    root, _, rest = place.partition("/")
    folder = {"artifacts": settings.ARTIFACT_DIR, "uploads": settings.UPLOAD_DIR, "embeddings": settings.CACHE_DIR}
    path = folder[root] / rest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(HALF)
    for one in (path, path.parent):
        os.utime(one, (time.time() - 100_000,) * 2)
    told = look(*BY_BYTES, repair=True)["checks"]["strays"]
    assert (told["faults"], told["repaired"], told["left"]) == (1, 1, 0)
    assert not path.exists()
    assert [one.read_bytes() for one in (settings.ARTIFACT_DIR.parent / "aside").rglob(path.name)] == [HALF]
    assert look(*BY_BYTES)["clean"]


def test_a_file_that_is_being_written_is_left_alone(demo, sql):
    sql("UPDATE worker_job SET state = 'running', claim = 'alive', finished_at = NULL WHERE kind = 'train'")
    path = settings.ARTIFACT_DIR / "job1-alive.safetensors.part"
    path.write_bytes(b"half")
    os.utime(path, (1, 1))
    assert look("strays", repair=True)["clean"]
    path.unlink()


def test_a_damaged_export_and_a_damaged_cache_are_moved_aside(demo):
    archive = settings.ARTIFACT_DIR / archive_of(Version.objects.get(), "model")
    whole = archive.read_bytes()
    archive.write_bytes(whole.replace(b"A model", b"B model"))
    cache = settings.CACHE_DIR / "minilm" / "rows.safetensors"
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes((2).to_bytes(8, "little") + b"{}" + b"too much")
    assert set(look(*BY_BYTES)["checks"]) == {"exports", "caches"}
    assert look(*BY_BYTES, repair=True)["repaired"] == 2
    assert look(*BY_BYTES)["clean"]
    archive.write_bytes(whole)
    os.utime(archive, (1, 1))


def test_the_command_says_what_it_means_and_exits_1(demo, sql):
    sql("UPDATE annotate_task SET open_slots = 0 WHERE open_slots = slots AND kind = 'normal'")
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError, match="--repair makes again"):
        call_command("doctor", json=True, stdout=out, stderr=err)
    told = json.loads(out.getvalue())
    assert not told["clean"]
    assert told["checks"]["slots"]["means"]
    assert told["checks"]["slots"]["advice"]
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=io.StringIO(), stderr=err)
    assert "slots, 0 open" in err.getvalue()
    assert "asked about a task" in err.getvalue()
    call_command("doctor", repair=True, stdout=io.StringIO(), stderr=err)


def test_a_job_without_life_is_taken_up_as_the_reaper_does(demo, sql):
    sql("UPDATE worker_job SET state = 'running', claim = 'c', heartbeat_at = '2020-01-01', attempt = 3"
        " WHERE kind = 'import'")  # fmt: skip
    look("stuck", repair=True)
    assert Job.objects.get(kind="import").state == "failed"


def test_rows_that_lie_do_not_keep_the_doctor_from_telling(demo, sql):
    sql(f"UPDATE annotate_judgement SET shown_order = '[99999]', tallied = true WHERE id = {STORED}")
    told = look("shown", "tallies")["checks"]
    assert "response 99999" in told["shown"]["examples"][0]["says"]
    assert "cannot be made before" in told["tallies"]["examples"][-1]["says"]


def test_what_was_erased_with_a_person_is_no_fault(demo):
    erase_name(project=demo, name=Judgement.objects.filter(rater=None).first().rater_name, remove=False)
    erase_person(user=User.objects.get(username="annotator"), remove=True)
    told = look(*{check.name for check in CHECKS} - {"standings"})
    assert {name: one["examples"][:2] for name, one in told["checks"].items()} == {}
