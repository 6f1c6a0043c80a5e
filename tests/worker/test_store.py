"""The artifact store, as a folder and as a bucket of a server that speaks S3 on this machine."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import SuspiciousOperation

from tests.site import ROOT
from worker import bucket, store
from worker.store import Folder, check, remove_older

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["folder", "bucket"])
def kept(request, tmp_path):
    """Each test holds both ways."""
    return Folder(tmp_path / "artifacts") if request.param == "folder" else request.getfixturevalue("in_bucket")


@pytest.fixture
def in_bucket(s3, tmp_path):
    return bucket.Bucket(s3, tmp_path / "store")


def put(there, name, content=CONTENT, sha256=""):
    draft = there.draft(name)
    draft.write_bytes(content)
    there.publish(draft, name, sha256)
    assert not draft.exists()


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_what_is_published_is_listed_read_and_deleted(kept):
    assert kept.listdir("exports") == ([], [])
    put(kept, "exports/one.zip", b"old")
    put(kept, "exports/one.zip")
    put(kept, "two")
    assert kept.listdir("exports") == ([], ["one.zip"])
    assert kept.listdir("") == (["exports"], ["two"])
    assert (kept.exists("two"), kept.size("two")) == (True, len(CONTENT))
    with kept.local("exports/one.zip") as path:
        assert path.read_bytes() == CONTENT
    with kept.stream("exports/one.zip") as file:
        assert file.read(7) + file.read() == CONTENT
    kept.delete("two")
    kept.delete("two")
    kept.forget("exports")
    assert kept.listdir("") in (([], []), (["exports"], []))


def test_a_model_is_checked_when_it_is_fetched(kept):
    put(kept, "model", sha256=SHA256)
    assert kept.fetch("model", SHA256).read_bytes() == CONTENT
    put(kept, "other", b"turned", sha256="")
    with pytest.raises(ValueError, match="instead of"):
        kept.fetch("other", hashlib.sha256(b"right").hexdigest())


@pytest.mark.parametrize("act", ["stream", "size", "get_modified_time"])
def test_what_is_not_there_is_said_as_of_any_file(kept, act):
    with pytest.raises(FileNotFoundError):
        getattr(kept, act)("nothing")
    with pytest.raises(FileNotFoundError), kept.local("nothing") as path:
        path.read_bytes()
    with pytest.raises(FileNotFoundError):
        kept.fetch("nothing", SHA256)


@pytest.mark.parametrize("name", ["../secret_key", "/etc/passwd", "a/../../b"])
def test_no_name_leads_out_of_it(kept, name):
    with pytest.raises((SuspiciousOperation, FileNotFoundError)):
        kept.stream(name)


def test_old_files_are_removed_but_not_those_that_are_wanted(kept):
    put(kept, "scored/one")
    put(kept, "scored/two")
    remove_older(kept, "scored", 60)
    assert len(kept.listdir("scored")[1]) == 2
    remove_older(kept, "scored", -60, {"two"})
    assert kept.listdir("scored")[1] == ["two"]


def test_a_folder_copies_nothing(tmp_path):
    kept = Folder(tmp_path)
    draft = kept.draft("model")
    draft.write_bytes(CONTENT)
    number = draft.stat().st_ino
    kept.publish(draft, "model")
    with kept.local("model") as path:
        assert path.stat().st_ino == kept.fetch("model", SHA256).stat().st_ino == number


def test_a_fetched_model_stays_here_and_a_damaged_copy_is_fetched_again(in_bucket, tmp_path, monkeypatch):
    put(in_bucket, "model")
    path = in_bucket.fetch("model", SHA256)
    assert files(tmp_path / "store") == [SHA256]
    with monkeypatch.context() as patch:
        patch.setattr(bucket.Bucket, "_download", None)
        assert in_bucket.fetch("model", SHA256) == path
    path.write_bytes(b"damaged")
    assert check(in_bucket.fetch("model", SHA256), SHA256).read_bytes() == CONTENT


def test_the_copies_are_bounded_and_those_in_use_stay(in_bucket, tmp_path, settings):
    settings.ARTIFACT_CACHE_BYTES = 2500
    contents = [bytes([n]) * 1000 for n in range(4)]
    names = [hashlib.sha256(content).hexdigest() for content in contents]
    for n, content in enumerate(contents[:3]):
        put(in_bucket, f"model{n}", content, names[n])
    assert files(tmp_path / "store") == sorted(names[:3])  # all in use
    for n, name in enumerate(names[:3]):
        past = time.time() - 10 * bucket.IN_USE + n
        os.utime(tmp_path / "store" / "kept" / name, (past, past))
    put(in_bucket, "model3", contents[3], names[3])
    assert files(tmp_path / "store") == sorted(names[2:])


def test_another_host_goes_on_from_the_last_checkpoint(s3, tmp_path):
    one, other = (bucket.Bucket(s3, tmp_path / host) for host in ("one", "other"))
    with suppress(RuntimeError), one.working("running/job1", "state") as (folder, keep):
        keep()  # nothing yet
        (folder / "state").write_bytes(b"step 3")
        keep()
        with other.working("running/job1", "state") as (there, _):
            assert (there / "state").read_bytes() == b"step 3"
        (folder / "state").write_bytes(b"step 7")
        raise RuntimeError("cancelled")
    with other.working("running/job1", "state") as (there, _):
        assert (there / "state").read_bytes() == b"step 7"
    assert files(tmp_path) == []
    one.forget("running/job1")
    assert one.listdir("running") == ([], [])


def test_keeping_a_checkpoint_takes_a_small_part_of_the_time(in_bucket, monkeypatch):
    clock = iter([0.0, 2.0, 15.0, 22.1, 23.0])
    monkeypatch.setattr(bucket, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    sent = []
    monkeypatch.setattr(bucket.Bucket, "publish", lambda _, draft, name: sent.append(draft.read_bytes()))
    with in_bucket.working("running/job1", "state") as (folder, keep):
        for step in (b"1", b"2", b"3"):
            (folder / "state").write_bytes(step)
            keep()
    assert sent == [b"1", b"3"]  # it took 2 s, so the next came not before 20 s later


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from worker import store
from worker.store import artifacts
kept = artifacts()
draft = kept.draft("model")
draft.write_bytes(b"x" * 20_000_000)
if hasattr(kept, "bucket"):  # die when the second part has gone
    events, sent = kept.bucket.meta.client.meta.events, []
    die = lambda **_: (sent.append(1), len(sent) == 2 and os.kill(os.getpid(), signal.SIGKILL))
    events.register("after-call.s3.UploadPart", die)
else:
    os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
kept.publish(draft, "model")
"""


@pytest.mark.parametrize("way", ["folder", "bucket"])
def test_a_process_killed_while_it_publishes_leaves_nothing_to_see_and_a_sweep_clears_up(
    request, way, tmp_path, monkeypatch
):
    kept = Folder(tmp_path / "artifacts") if way == "folder" else request.getfixturevalue("in_bucket")
    where = str(tmp_path / "artifacts") if way == "folder" else request.getfixturevalue("s3")
    monkeypatch.setattr(bucket, "LEFT", timedelta(seconds=-60))
    environment = os.environ | {"VAR_DIR": str(tmp_path), "ARTIFACT_STORE": where}
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", KILLED]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not kept.exists("model")
    assert files(tmp_path) != []
    if way == "bucket":
        assert len(list(kept.bucket.multipart_uploads.all())) == 1
        assert kept.listdir("") == ([], [])
        kept.sweep()
        assert not list(kept.bucket.multipart_uploads.all())
    else:
        assert kept.listdir("") == ([], ["model.part"])
        remove_older(kept, "", -60)
    assert [name for name in files(tmp_path) if name.startswith("model")] == []


def test_a_store_that_does_not_answer_or_refuses_is_said_plainly(s3, tmp_path, monkeypatch):
    with pytest.raises(OSError, match=r"refused model: .*NoSuchBucket"):
        bucket.Bucket("s3://absent", tmp_path / "a").stream("model")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr(bucket, "QUICK", bucket.Config(connect_timeout=1, retries={"max_attempts": 1}))
    gone = bucket.Bucket("s3://models", tmp_path / "b")
    with pytest.raises(OSError, match="does not answer"):
        gone.exists("model")


def test_the_setting_chooses_and_uploads_have_a_place_of_their_own(settings, s3, tmp_path):
    assert isinstance(store.artifacts(), Folder)
    put(store.uploads(), "name")
    assert (settings.UPLOAD_DIR / "name").read_bytes() == CONTENT
    settings.ARTIFACT_STORE = s3
    put(store.uploads(), "name")
    assert store.artifacts().listdir("") == (["uploads"], [])
