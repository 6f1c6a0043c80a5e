import json

import pytest

from tests.inspector.making import make_item, score
from worker.api import scores as module
from worker.models import Job, Score
from worker.services.scored_file import in_store

VERSION = "/projects/answers/versions/1"
LINES = b'{"prompt": "Why?", "response": "Because."}\n'


@pytest.fixture
def scored(project, version, oder):
    other = make_item(project, "How long?", "866 km", "Long")
    for item in (oder, other):
        for n, response in enumerate(item.responses.all()):
            score(version, {response: 0.5 + n})
            score(version, {response: -1.0}, head="segment:wrong")
    return other


def streamed(response):
    return [json.loads(line) for line in b"".join(response.streaming_content).splitlines()]


def test_stored_scores_page_by_page_and_streamed_are_the_same(api, scored, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 3)
    _, first = api.get(f"{VERSION}/scores", limit=5)
    _, second = api.get(f"{VERSION}/scores", limit=5, cursor=first["next"])
    assert second["next"] is None
    rows = [*first["items"], *second["items"]]
    assert len(rows) == Score.objects.count() == 8
    assert rows == streamed(api.raw("GET", f"{VERSION}/scores.jsonl"))
    again = streamed(api.raw("GET", f"{VERSION}/scores.jsonl?after={rows[3]['id']}"))
    assert again == rows[4:]


def test_scores_of_one_head_or_one_item(api, scored):
    _, said = api.get(f"{VERSION}/scores", head="preference", item=scored.pk)
    assert [row["value"] for row in said["items"]] == [0.5, 1.5]
    assert {row["item"] for row in said["items"]} == {scored.pk}
    assert api.get(f"{VERSION}/scores", head="none")[1]["items"] == []
    status, wrong = api.get(f"{VERSION}/scores", head="a\0")  # PostgreSQL cannot be asked for it
    assert (status, wrong["errors"][0]["field"]) == (422, "head")


def test_the_projects_responses_are_scored_by_one_job_at_a_time(api, project, version):
    status, job = api.post(f"{VERSION}/score")
    assert (status, job["kind"], job["state"]) == (202, "score", "queued")
    assert api.post(f"{VERSION}/score")[1]["id"] == job["id"]
    assert project.jobs.count() == 1


def test_texts_are_kept_for_a_job_under_a_name_of_ours(api, project, version, settings):
    status, job = api.post(f"{VERSION}/score-texts", LINES, "application/jsonl")
    assert (status, job["kind"]) == (202, "file")
    assert (settings.UPLOAD_DIR / project.jobs.get().params["file"]).read_bytes() == LINES


def test_no_text_and_too_much_text_are_refused_and_leave_nothing(api, settings, version):
    assert api.post(f"{VERSION}/score-texts", b"", "application/jsonl")[0] == 422
    settings.UPLOAD_MAX_BYTES = 10
    assert api.post(f"{VERSION}/score-texts", LINES, "application/jsonl")[0] == 413
    assert api.post(f"{VERSION}/score-texts", LINES, "application/jsonl", **{"Idempotency-Key": "k"})[0] == 413
    assert not Job.objects.exists()
    assert not list(settings.UPLOAD_DIR.glob("*"))


def test_texts_are_json_lines_and_nothing_else(api, version):
    assert api.post(f"{VERSION}/score-texts", LINES, "text/plain")[0] == 415
    assert not Job.objects.exists()


def test_a_body_larger_than_what_fits_into_memory_is_taken(api, settings, project, version):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = LINES * 100
    assert api.post(f"{VERSION}/score-texts", body, "application/jsonl", **{"Idempotency-Key": "k"})[0] == 202
    assert (settings.UPLOAD_DIR / project.jobs.get().params["file"]).stat().st_size == len(body)


@pytest.fixture
def done(project, version, settings):
    """A scoring of ten texts that is done."""
    job = Job.objects.create(project=project, kind="file", state="done", result={"result": "ours", "lines": 10})
    path = settings.ARTIFACT_DIR / in_store("ours")
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps({"n": n, "score": n / 2}) + "\n" for n in range(10)))
    return f"/projects/answers/jobs/{job.pk}"


def test_what_a_scoring_gave_page_by_page_and_streamed(api, done):
    rows, cursor = [], 0
    while cursor is not None:
        _, page = api.get(f"{done}/scored", cursor=cursor, limit=4)
        rows, cursor = rows + page["items"], page["next"]
    assert [row["n"] for row in rows] == list(range(10))
    assert streamed(api.raw("GET", f"{done}/scored.jsonl")) == rows


@pytest.mark.parametrize("cursor", [1, 3, 10**18, -1, "x"])
def test_a_place_inside_a_line_is_no_cursor(api, done, cursor):
    assert api.get(f"{done}/scored", cursor=cursor)[0] == 422


def test_a_result_that_was_swept_or_is_not_there_yet_is_not_found(api, done, project, settings):
    (settings.ARTIFACT_DIR / in_store("ours")).unlink()
    status, said = api.get(f"{done}/scored")
    assert (status, "score the texts again" in said["detail"]) == (404, True)
    job = Job.objects.create(project=project, kind="file")
    assert api.get(f"/projects/answers/jobs/{job.pk}/scored")[0] == 404


def test_who_manages_nothing_scores_no_texts_and_reads_none(program, researcher, done):
    looks = program(researcher)
    assert looks.get(f"{VERSION}/scores")[0] == 200
    assert looks.get(f"{done}/scored")[0] == 403
    assert looks.post(f"{VERSION}/score-texts", LINES, "application/jsonl")[0] == 403
