"""A file of answers up, scored lines down: the job, the page, and what is left when something goes wrong."""

import errno
import json
import os
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.worker.model import HEADS, scoring_version
from worker.models import Job
from worker.services.job import cancel, retry, run_now
from worker.services.scored_file import KEPT_DAYS, start_scoring, sweep_results
from worker.services.upload import FORGOTTEN_SECONDS, sweep

URL = "/p/answers/score-file/"
ROWS = [
    {"prompt": "Where?", "response": "Here 😀.", "id": 1},
    {"prompt": "Where?", "responses": ["Here.", "There.", "There."]},
]
DATA = "\n".join(map(json.dumps, ROWS)).encode()


@pytest.fixture
def version(project):
    return scoring_version(project)


def sent(data=DATA, name="mine.jsonl"):
    return SimpleUploadedFile(name, data)


def launched(version, alice, data=DATA):
    return start_scoring(version=version, file=sent(data), actor=alice)


def left(settings):
    """Names of what lies in the two folders."""
    return [
        path.name for folder in (settings.UPLOAD_DIR, settings.ARTIFACT_DIR / "scored") for path in folder.glob("*")
    ]


def test_an_upload_becomes_a_job_and_its_result_a_download(client_of, alice, version, settings):
    browser = client_of(alice)
    answer = browser.post(URL, {"version": version.pk, "file": sent(name="../../etc/passwd")})
    job = run_now(Job.objects.get())
    assert answer["Location"] == f"/p/answers/jobs/{job.pk}/"
    counts = {"lines": 2, "answers": 4, "truncated": 0, "undefined": 0}
    assert {name: job.result[name] for name in counts} == counts
    assert left(settings) == [job.result["result"]]
    response = browser.get(f"/p/answers/jobs/{job.pk}/scored/")
    one, two = map(json.loads, b"".join(response.streaming_content).splitlines())
    assert (one["id"], one["response"], set(HEADS) <= set(one)) == (1, "Here 😀.", True)
    assert sorted(two["ranks"]) in ([1, 1, 3], [1, 2, 2])
    assert f'filename="answers-scored-{job.pk}.jsonl"' in response["Content-Disposition"]


def test_the_page_lists_the_last_files(client_of, alice, version):
    browser, job = client_of(alice), launched(version, alice)
    assert "queued" in browser.get(URL).content.decode()
    run_now(job)
    assert f'<a href="/p/answers/jobs/{job.pk}/scored/">Download</a>' in browser.get(URL).content.decode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            DATA + b'\n{"prompt": "Why?"}',
            "line 3: response must be a string, or responses a list of them, and not both",
        ),
        (DATA + b"\n\xff", "line 3: not UTF-8 (byte 0 is 0xff)"),
        (b"\n\n", "The file holds no line."),
    ],
)
def test_a_bad_file_fails_with_its_line_and_leaves_nothing(version, alice, settings, data, why):
    job = run_now(launched(version, alice, data))
    assert (job.state, job.error) == ("failed", why)
    assert left(settings) == []


def test_a_cancelled_job_leaves_nothing(version, alice, settings, monkeypatch):
    from worker.jobs import file as body

    def stopped(*given):
        yield {"score": 1.0, "truncated": False}
        cancel(job=Job.objects.get())
        given[2]("bytes read and scored", 1, 2, {})

    monkeypatch.setattr(body, "score_file", stopped)
    assert run_now(launched(version, alice)).state == "cancelled"
    assert left(settings) == []


def test_a_version_whose_file_is_gone_fails_the_job_clearly(version, alice, settings):
    (settings.ARTIFACT_DIR / version.file).unlink()
    job = run_now(launched(version, alice))
    assert job.state == "failed"
    assert job.error.startswith("The file of this version is gone")


def test_old_results_are_swept_and_told_as_gone(client_of, alice, version, settings):
    browser, job = client_of(alice), run_now(launched(version, alice))
    path, past = settings.ARTIFACT_DIR / "scored" / job.result["result"], time.time() - KEPT_DAYS * 24 * 3600 - 60
    sweep_results()
    assert path.exists()
    os.utime(path, (past, past))
    sweep_results()
    assert not path.exists()
    assert browser.get(f"/p/answers/jobs/{job.pk}/scored/").status_code == 404
    assert "deleted" in browser.get(URL).content.decode()


def test_an_upload_that_waits_for_its_worker_is_not_swept(version, alice, settings):
    job = launched(version, alice)
    past = time.time() - FORGOTTEN_SECONDS - 60
    os.utime(settings.UPLOAD_DIR / job.params["file"], (past, past))
    sweep()
    assert left(settings) == [job.params["file"]]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "This field is required"),
        ({"version": "0", "file": DATA}, "Select a valid choice"),
        ({"version": "x", "file": DATA}, "Select a valid choice"),
        ({"file": b""}, "The submitted file is empty"),
        ({"file": b"x" * 5001}, "The file is larger than 4.9"),
    ],
)
def test_a_wrong_form_comes_back(client_of, alice, version, settings, values, why):
    settings.UPLOAD_MAX_BYTES = 5000
    files = {"file": sent(values["file"])} if "file" in values else {}
    response = client_of(alice).post(URL, {"version": version.pk} | values | files)
    assert response.status_code == 422
    assert why in response.content.decode()
    assert not Job.objects.exists()


def test_who_may_score_a_file(client_of, bob, charlie, alice, version):
    job = run_now(launched(version, alice))
    for user, status in ((charlie, 404), (bob, 403)):
        assert client_of(user).get(URL).status_code == status
        assert client_of(user).get(f"/p/answers/jobs/{job.pk}/scored/").status_code == status
    assert client_of(alice).put(URL).status_code == 405
    assert client_of(alice).post(f"/p/answers/jobs/{job.pk}/scored/").status_code == 405


def test_an_upload_that_finds_the_disk_full_leaves_nothing(version, alice, settings, monkeypatch):
    def chunks(_):
        yield b"{}"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SimpleUploadedFile, "chunks", chunks)
    with pytest.raises(OSError, match="No space left"):
        launched(version, alice)
    assert left(settings) == []
    assert not Job.objects.exists()


def test_a_result_that_finds_the_disk_full_leaves_none_and_can_be_retried(version, alice, settings, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    job = launched(version, alice)
    with monkeypatch.context() as patch:
        patch.setattr("worker.jobs.file.dumps", full)
        assert (run_now(job).state, left(settings)) == ("failed", [job.params["file"]])
    assert run_now(retry(job=job, actor=alice)).state == "done"
