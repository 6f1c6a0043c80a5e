"""Items in by the browser: the upload, its job, and what is left of the file."""

import json
import os
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotate.formats import FORMATS
from annotate.models import Item, Role
from annotate.services.project import add_member
from worker.forms import ImportForm
from worker.models import Job
from worker.models.job import JobState
from worker.services import upload
from worker.services.job import cancel, run_now

ROWS = b"\n".join(json.dumps({"prompt": f"Q{n}?", "responses": ["a", "b"]}).encode() for n in range(700))
URL = "/p/answers/import/"


def sent(data: bytes, name: str = "mine.jsonl", format: str = "jsonl") -> dict:
    return {"file": SimpleUploadedFile(name, data), "format": format}


@pytest.fixture
def launched(project, alice):
    return upload.start_import(project=project, file=sent(ROWS)["file"], format="jsonl", actor=alice)


def left(settings) -> list:
    return list(settings.UPLOAD_DIR.glob("*"))


def test_an_upload_becomes_a_job_and_the_job_writes_the_items(client_of, alice, project, settings):
    response = client_of(alice).post(URL, sent(ROWS, name="../../etc/passwd"))
    job = Job.objects.get()
    assert response["Location"] == f"/p/answers/jobs/{job.pk}/"
    assert [path.name for path in left(settings)] == [job.params["file"]]
    assert not Item.objects.exists()
    job = run_now(job)
    assert (job.state, job.error) == (JobState.DONE, "")
    assert job.result == {"items": 700, "responses": 1400, "judgements": 0, "spans": 0, "skipped": 0, "warnings": []}
    assert project.items.count() == 700
    assert left(settings) == []


def test_the_job_says_how_far_it_is(launched):
    job = run_now(launched)
    said = [event.data.get("text") for event in job.events.filter(kind="log")]
    assert [text for text in said if text] == [
        "reading the file (bytes)",
        "writing items",
        "new: 700 items, 1,400 responses, 0 judgements, 0 spans, 0 skipped",
    ]
    assert (job.stage, job.done, job.total) == ("writing items", 700, 700)


def test_what_unblinds_the_raters_is_said_after_a_plain_import_too(client_of, project, alice):
    file = sent(ROWS + b'\n{"prompt": "Who?", "responses": ["I am ChatGPT."]}')["file"]
    job = run_now(upload.start_import(project=project, file=file, format="jsonl", actor=alice))
    words = "Responses that name the maker of their model, which raters will see: 1 (line 701)."
    assert job.result["warnings"] == [words]
    assert job.events.filter(kind="log").last().data["text"] == words
    assert words in client_of(alice).get(URL).content.decode()


def test_a_bad_file_fails_with_its_line_and_leaves_nothing(project, alice, settings):
    file = sent(ROWS + b'\n{"prompt": 1}')["file"]
    job = run_now(upload.start_import(project=project, file=file, format="jsonl", actor=alice))
    assert job.state == JobState.FAILED
    assert job.error == "line 701: turns.0.content: Input should be a valid string"
    assert not Item.objects.exists()
    assert left(settings) == []


def test_a_cancelled_import_leaves_nothing(launched, monkeypatch, settings):
    from worker.jobs import import_items

    survey = import_items.survey_file

    def surveyed(**options):
        cancel(job=Job.objects.get())
        return survey(**options)

    monkeypatch.setattr(import_items, "survey_file", surveyed)
    assert run_now(launched).state == JobState.CANCELLED
    assert not Item.objects.exists()
    assert left(settings) == []


def test_a_failure_that_may_pass_keeps_the_file_for_a_retry(launched, monkeypatch, settings):
    from django.db import OperationalError

    from worker.jobs import import_items

    def busy(**options):
        raise OperationalError("busy")

    monkeypatch.setattr(import_items, "write_items", busy)
    assert run_now(launched).state == JobState.FAILED
    assert len(left(settings)) == 1


def test_forgotten_files_are_swept_and_waited_for_ones_are_not(launched, settings):
    lost = settings.UPLOAD_DIR / "lost"
    lost.write_bytes(b"x")
    past = time.time() - upload.FORGOTTEN_SECONDS - 60
    for path in left(settings):
        os.utime(path, (past, past))
    upload.sweep()
    assert [path.name for path in left(settings)] == [launched.params["file"]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "This field is required"),
        ({"format": "jsonl"}, "This field is required"),
        (sent(b""), "The submitted file is empty"),
        (sent(ROWS, format="xml"), "Select a valid choice"),
        (sent(ROWS, format=""), "This field is required"),
        (sent(b"x" * 5001), "The file is larger than 4.9"),
    ],
)
def test_a_wrong_form_comes_back(client_of, alice, project, settings, values, message):
    settings.UPLOAD_MAX_BYTES = 5000 if values.get("format") == "jsonl" else 10**6
    response = client_of(alice).post(URL, values)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert not Job.objects.exists()
    assert left(settings) == []


def test_the_page_lists_the_formats_and_the_last_imports(client_of, alice, launched):
    assert {key for key, _ in ImportForm.base_fields["format"].choices} == {"", "auto", *FORMATS}
    run_now(launched)
    html = client_of(alice).get(URL).content.decode()
    assert "mine.jsonl" in html
    assert '<td class="num">700</td>' in html
    assert " selected" not in html.replace('<option value="" selected>', "")


def test_a_file_is_checked_then_imported_without_a_second_upload(client_of, alice, project, settings):
    client = client_of(alice)
    said = {"prompt": "Who?", "responses": ["I am ChatGPT, trained by OpenAI.", "Me."]}
    client.post(URL, sent(ROWS + b"\n" + json.dumps(said).encode(), format="auto") | {"check": "1"})
    check = run_now(Job.objects.get())
    assert check.result["new"] == {"items": 701, "judgements": 0}
    assert not Item.objects.exists()
    html = client.get(f"{URL}?checked={check.pk}").content.decode()
    assert "Read as <strong>jsonl</strong>: 701 items" in html
    assert "name the maker of their model, which raters will see: 1 (line 701)." in html
    client.post(URL, {"checked": check.pk})
    assert run_now(Job.objects.latest("pk")).result["items"] == 701
    assert left(settings) == []
    again = client.post(URL, {"checked": check.pk}, follow=True).content.decode()
    assert "imported already or was deleted since" in again


@pytest.mark.parametrize("pk", ["0", "x", "9" * 30, "²"])
def test_a_check_that_is_none_is_not_found(client_of, alice, project, pk):
    assert client_of(alice).get(URL, {"checked": pk}).status_code == 404
    assert client_of(alice).post(URL, {"checked": pk}).status_code == 404


def test_who_may_import(client_of, client, bob, charlie, person, project):
    researcher = person("rhea")
    add_member(project=project, user=researcher, role=Role.RESEARCHER)
    for user, status in ((charlie, 404), (bob, 403), (researcher, 403)):
        assert client_of(user).get(URL).status_code == status
        assert client_of(user).post(URL, sent(ROWS)).status_code == status
    assert client.get(URL).status_code == 302
    assert client_of(bob).delete(URL).status_code == 405
    assert not Job.objects.exists()
