"""One archive of database and files, and an installation made of it again: all of it or nothing."""

import hashlib
import io
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import zipfile

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from annotate.models import Judgement, User
from tests.migrated import on_sqlite
from tests.postgres import own_database
from tests.site import ROOT
from worker.models import Job, Version
from worker.services.export import archive_of
from worker.upkeep.archive import MANIFEST
from worker.upkeep.backup import backup
from worker.upkeep.doctor import examine
from worker.upkeep.restore import restore
from worker.upkeep.target import reached


def quiet(*_):
    """Nobody listens."""


@pytest.fixture
def archive(demo, tmp_path):
    path = tmp_path / "kept.touchstone"
    backup(path=path, report=quiet)
    return path


@pytest.fixture
def empty(tmp_path, settings):
    """Folders of another installation."""
    settings.ARTIFACT_DIR, settings.UPLOAD_DIR = tmp_path / "there" / "artifacts", tmp_path / "there" / "uploads"
    settings.VAR_DIR = tmp_path / "there"
    return tmp_path / "there"


def rewrite(path, change):
    """The archive with its parts changed by `change(parts)`; the manifest says what it said."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)


def run(code, var, **environment):
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    environment = os.environ | {"VAR_DIR": str(var)} | environment
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_all_rows_and_the_files_they_name_are_in_it(archive, demo):
    with zipfile.ZipFile(archive) as file:
        names, manifest = set(file.namelist()), json.loads(file.read(MANIFEST))
        version, job = Version.objects.get(), Job.objects.get(kind="import")
        assert f"artifacts/{version.file}" in names
        assert f"artifacts/{archive_of(version, 'model')}" in names
        assert f"uploads/{job.params['file']}" in names
        assert "secret_key" not in names
        assert len(file.read("tables/annotate_judgement.jsonl").splitlines()) == Judgement.objects.count()
        for name, told in manifest["parts"].items():
            assert hashlib.sha256(file.read(name)).hexdigest() == told["sha256"]
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert not list(archive.parent.glob("*.part"))


@pytest.mark.service
def test_it_is_restored_into_another_kind_of_database(archive, demo, empty):
    with own_database() as url, reached(url) as alias:
        told = restore(path=archive, report=quiet, alias=alias)
        assert told == {"rows": told["rows"], "files": 3, "migrated": False, "secret_key": False}
        assert told["rows"] > 1000
        assert Judgement.objects.using(alias).count() == Judgement.objects.count()
        version = Version.objects.using(alias).get()
        assert hashlib.sha256((empty / "artifacts" / version.file).read_bytes()).hexdigest() == version.file_sha256
        User.objects.using(alias).create(username="new")  # its number is free
        with pytest.raises(ValueError, match=r"something here already: .* --replace"):
            restore(path=archive, report=quiet, alias=alias)
        connections[alias].close()


def test_it_takes_the_place_of_what_is_there_only_when_told(archive, demo, empty):
    before = Judgement.objects.count()
    with pytest.raises(CommandError, match="something here already"):
        call_command("restore", str(archive), stdout=io.StringIO(), stderr=io.StringIO())
    Judgement.objects.filter(assignment=None, snapshot_rows=None).delete()
    User.objects.create(username="late")
    out = io.StringIO()
    call_command("restore", str(archive), replace=True, json=True, stdout=out, stderr=io.StringIO())
    assert json.loads(out.getvalue())["rows"] > 1000
    assert Judgement.objects.count() == before
    assert not User.objects.filter(username="late").exists()
    assert (settings.UPLOAD_DIR / Job.objects.get(kind="import").params["file"]).exists()
    assert examine(repair=False, say=quiet, report=quiet)["clean"]


def test_the_secret_is_in_it_only_where_it_was_asked_for(demo, tmp_path, empty):
    path = tmp_path / "kept"
    out, err = io.StringIO(), io.StringIO()
    call_command("backup", str(path), json=True, stdout=out, stderr=err)
    assert "secret key is not in it" in err.getvalue()
    assert settings.SECRET_KEY.encode() not in path.read_bytes()
    call_command("backup", str(path), with_secret_key=True, stdout=out, stderr=err)
    restore(path=path, report=quiet, replace=True)
    assert (empty / "secret_key").read_text() == settings.SECRET_KEY
    assert stat.S_IMODE((empty / "secret_key").stat().st_mode) == 0o600


def spoil(name, content=None):
    """A change of one part: its content's last byte, or this instead."""

    def change(parts):
        key = next(one for one in parts if one.startswith(name))
        parts[key] = content if content is not None else parts[key][:-1] + bytes([parts[key][-1] ^ 1])

    return change


SPOILT = [
    (spoil("tables/annotate_item"), "The part tables/annotate_item.jsonl is damaged"),
    (spoil("artifacts/job"), r"The part artifacts/job.* is damaged"),
    (spoil("uploads/", b""), r"The part uploads/.* is damaged"),
    (lambda parts: parts.pop("tables/annotate_task.jsonl"), "The part tables/annotate_task.jsonl is missing"),
    (lambda parts: parts.update({"../evil": b""}), r"The part \.\./evil is none of ours"),
    (spoil(MANIFEST, b"{"), "is no whole backup"),
    (lambda parts: parts.pop(MANIFEST), "is no whole backup"),
    (spoil(MANIFEST, b'{"version": 2}'), "another Touchstone"),
]


@pytest.mark.parametrize(("change", "says"), SPOILT, ids=lambda value: value if isinstance(value, str) else "")
def test_a_damaged_archive_is_refused_naming_the_part(archive, demo, empty, change, says):
    rewrite(archive, change)
    before = User.objects.count()
    with pytest.raises(ValueError, match=says):
        restore(path=archive, report=quiet, replace=True)
    assert User.objects.count() == before
    assert not empty.exists() or not list(empty.rglob("*.safetensors"))


@pytest.mark.parametrize(
    "place", ["artifacts/../../evil", "/etc/evil", "artifacts/.hidden", "other/x", "tables/../x.jsonl"]
)
def test_a_name_that_leads_elsewhere_is_refused(archive, demo, empty, place):
    def change(parts):
        manifest = json.loads(parts[MANIFEST])
        parts[place] = b"evil"
        manifest["parts"][place] = {"sha256": hashlib.sha256(b"evil").hexdigest(), "bytes": 4}
        parts[MANIFEST] = json.dumps(manifest).encode()

    rewrite(archive, change)
    with pytest.raises(ValueError, match="is none of ours"):
        restore(path=archive, report=quiet, replace=True)


def test_an_archive_that_was_cut_off_is_refused(archive, demo, empty):
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(ValueError, match="is no whole backup"):
        restore(path=archive, report=quiet, replace=True)


def test_a_backup_of_a_newer_release_is_refused(archive, demo, empty):
    def change(parts):
        manifest = json.loads(parts[MANIFEST])
        manifest["migrations"].append(["annotate", "9999_later"])
        parts[MANIFEST] = json.dumps(manifest).encode()

    rewrite(archive, change)
    with pytest.raises(ValueError, match=r"newer Touchstone \(migration annotate.9999_later\)"):
        restore(path=archive, report=quiet, replace=True)


def test_an_export_or_upload_that_went_meanwhile_is_told(demo, tmp_path):
    path = settings.UPLOAD_DIR / Job.objects.get(kind="import").params["file"]
    path.rename(tmp_path / "away")
    try:
        assert backup(path=tmp_path / "kept", report=quiet)["missing"] == [f"uploads/{path.name}"]
    finally:
        (tmp_path / "away").rename(path)


# ---- Whole processes: a site that goes on, kill -9, an older release

# There are twenty users, and between two tables somebody else writes: what was read already and what comes after are of
# one moment.
WRITES = """
import sqlite3
from django.conf import settings
from worker.upkeep import tables
from worker.upkeep.backup import backup
from pathlib import Path
from annotate.models import User
for n in range(20):
    User.objects.create(username=f"user{n}")
plain = tables.read
def read(alias, table):
    with sqlite3.connect(settings.DATABASES["default"]["NAME"]) as other:
        other.execute("INSERT INTO django_session VALUES (?, '', '2030-01-01 00:00:00')", [table.name])
    other.close()
    return plain(alias, table)
tables.read = read
print(backup(path=Path(PATH), report=lambda *_: None)["rows"])
"""
KILLED = """
import os, signal
from pathlib import Path
from worker.upkeep import tables
plain = tables.WHAT
def deadly(alias, table, *rest):
    if table.name == "annotate_user":
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(alias, table, *rest)
tables.WHAT = deadly
DO
"""


def migrated(var):
    """An installation in a folder, with nobody."""
    var.mkdir()
    on_sqlite(var / "touchstone.sqlite3")
    return var


def held(var):
    """How many users and sessions there are."""
    with sqlite3.connect(var / "touchstone.sqlite3") as link:
        return tuple(
            link.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("annotate_user", "django_session")
        )


def test_a_backup_is_of_one_moment_while_others_write_and_kill_9_leaves_nothing_half(tmp_path):
    path, house, other = tmp_path / "kept", migrated(tmp_path / "var"), migrated(tmp_path / "other")
    done = run(WRITES.replace("PATH", repr(str(path))), house)
    assert done.returncode == 0, done.stderr
    assert held(house)[1] > 30  # they wrote, and did not wait
    whole = path.read_bytes()
    again = f"from worker.upkeep.backup import backup; backup(path=Path({str(path)!r}), report=lambda *_: None)"
    assert run(KILLED.replace("WHAT", "read").replace("DO", again), house).returncode == -signal.SIGKILL
    assert path.read_bytes() == whole
    load = (
        "from worker.upkeep.restore import restore; print(restore(path=Path({!r}), report=lambda *_: None)['migrated'])"
    )
    load = load.format(str(path))
    assert run(KILLED.replace("WHAT", "set_last_number").replace("DO", load), other).returncode == -signal.SIGKILL
    assert held(other) == (0, 0)
    later = 'from django.conf import settings\nsettings.MIGRATION_MODULES = {"annotate": "tests.worker.upkeep.later"}\n'
    done = run("from pathlib import Path\n" + load, other)
    assert (done.stdout.strip(), held(other)) == ("False", (20, 0)), done.stderr
    new = tmp_path / "new"  # restored by a later release, whose migration is applied afterwards
    done = run(later + "from pathlib import Path\n" + load, new)
    assert (done.stdout.strip(), held(new)) == ("True", (20, 0)), done.stderr


TRAIN = """
import io, json
from django.core.management import call_command
from annotate.services.item import import_items
from annotate.services.project import create_project
pairs = [{"prompt": f"What is {n} and {n}?", "chosen": f"It is {2 * n}.", "rejected": "No."} for n in range(40)]
import_items(project=create_project(slug="sums", name="Sums"), format="trl",
             file=io.BytesIO("\\n".join(map(json.dumps, pairs)).encode()))
call_command("train", "sums", "--wait", "--json", verbosity=0, stdout=io.StringIO())
"""
AGAIN = """
import io, json
from django.core.management import call_command
from worker.models import Version
call_command("score", "sums:1", FILE)
call_command("train", "sums", "--wait", "--json", verbosity=0, stdout=io.StringIO())
first, second = Version.objects.order_by("number")
print(json.dumps([first.file_sha256, second.file_sha256]))
"""


def test_a_restored_site_scores_and_trains_as_before(tmp_path):
    path, asked, old, new = (tmp_path / name for name in ("kept", "asked.jsonl", "old", "new"))
    asked.write_text('{"prompt": "What is 3 and 3?", "response": "It is 6."}\n')
    copy = (
        "from pathlib import Path\nfrom worker.upkeep.{0} import {0}\n{0}(path=Path({1!r}), report=lambda *_: None)\n"
    )
    again = AGAIN.replace("FILE", repr(str(asked)))
    before = run(TRAIN + copy.format("backup", str(path)) + again, migrated(old))
    after = run(copy.format("restore", str(path)) + again, new)
    assert before.returncode == after.returncode == 0, before.stderr + after.stderr
    assert '"preference"' in before.stdout
    assert before.stdout == after.stdout
