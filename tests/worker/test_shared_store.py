"""What one host made another reads: a model, an upload, scored lines, a checkpoint; through a folder and a bucket."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.worker.model import HEADS, scoring_version
from tests.worker.upkeep.test_doctor import look
from worker import store
from worker.models import Job
from worker.services.export import archive_of
from worker.services.job import run_now
from worker.services.repeat import can_resume, work_folder
from worker.services.scored_file import start_scoring
from worker.store import artifacts
from worker.upkeep import files

LINES = b'{"prompt": "Where?", "response": "Here."}\n'


@pytest.fixture(params=["folder", "bucket"])
def on_host(request, settings, tmp_path):
    """on_host("web") goes on with nothing on this machine but what the hosts share."""
    if request.param == "bucket":
        settings.ARTIFACT_STORE = request.getfixturevalue("s3")

    def go_on(name):
        settings.STORE_DIR, settings.CACHE_DIR = tmp_path / name / "store", tmp_path / name / "embeddings"
        store._bucket.cache_clear()

    go_on("first")
    return go_on


@pytest.fixture
def version(project, on_host, settings):
    """Made by a worker on a host of its own."""
    version = scoring_version(project)
    on_host("trainer")
    made = settings.ARTIFACT_DIR / version.file
    draft = artifacts().draft(version.file)
    made.rename(draft)
    artifacts().publish(draft, version.file, version.file_sha256)
    return version


def test_a_file_sent_to_one_host_is_scored_by_another_and_fetched_from_a_third(
    version, on_host, alice, client_of, settings, tmp_path
):
    on_host("web")
    job = start_scoring(version=version, file=SimpleUploadedFile("a.jsonl", LINES), actor=alice)
    on_host("worker")
    job = run_now(job)
    assert (job.state, job.error) == ("done", "")
    on_host("another-web")
    response = client_of(alice).get(f"/p/answers/jobs/{job.pk}/scored/")
    content = b"".join(response.streaming_content)
    assert set(HEADS) <= set(json.loads(content))
    assert response["Content-Length"] == str(len(content))
    kept = {path.relative_to(tmp_path).parts[0] for path in tmp_path.glob("*/store/kept/*")}
    assert kept == ({"trainer", "worker"} if settings.ARTIFACT_STORE else set())
    assert not list(tmp_path.rglob("*.part"))


def test_a_damaged_or_lost_model_is_said_and_scores_nothing(version, on_host, alice):
    on_host("web")
    job = start_scoring(version=version, file=SimpleUploadedFile("a.jsonl", LINES), actor=alice)
    draft = artifacts().draft(version.file)
    draft.write_bytes(b"turned")
    artifacts().publish(draft, version.file)
    on_host("worker")
    job = run_now(job)
    assert (job.state, "is damaged: sha256" in job.error) == ("failed", True)
    artifacts().delete(version.file)
    job = run_now(start_scoring(version=version, file=SimpleUploadedFile("a.jsonl", LINES), actor=alice))
    assert (job.state, "is gone" in job.error) == ("failed", True)


def test_the_page_offers_to_go_on_from_a_checkpoint_of_another_host(project, on_host):
    job = Job.objects.create(project=project, kind="train", state="failed", params={"recipe": {"name": "lora"}})
    assert not can_resume(job)
    on_host("trainer")
    draft = artifacts().draft(f"{work_folder(job)}/state.safetensors")
    draft.write_bytes(b"step 7")
    artifacts().publish(draft, f"{work_folder(job)}/state.safetensors")
    on_host("web")
    assert can_resume(job)


def test_the_doctor_looks_through_what_hosts_share_and_moves_what_nothing_names(version, on_host, monkeypatch):
    monkeypatch.setattr("worker.upkeep.doctor.artifacts.MINUTE", -1.0)
    strays = {"dead.safetensors": "artifacts", "exports/version77-model.zip": "artifacts", "0123abcd": "uploads"}
    strays |= {"running/job999/step": "artifacts", "running/job999/more/half": "artifacts"}
    for name, kind in strays.items():
        files.keep(kind, name, [b"x"])
    files.keep("artifacts", archive_of(version, "model"), [b"no archive"])
    on_host("web")
    found = look("files", "exports", "strays")["checks"]
    assert (found["exports"]["faults"], found["strays"]["faults"]) == (2, 4)
    assert look("files", "exports", "strays", repair=True)["clean"]
    assert list(files.names("artifacts")) == [version.file]
    assert not list(files.names("uploads"))
