import json

import pytest

from tests.worker.api.test_versions import measured
from worker.models import Suite

SUITES = "/projects/answers/suites"
ROW = {"prompt": "Which?", "chosen": "This.", "rejected": "That."}
LINES = (json.dumps(ROW) + "\n").encode()


def send(api, body=LINES, name="core", format="auto", **headers):
    return api.post(f"{SUITES}?name={name}&format={format}", body, "application/jsonl", **headers)


def test_pairs_are_frozen_into_a_suite(api, project):
    status, said = send(api, format="trl")
    assert status == 201
    assert (said["name"], said["pairs"], said["questions"], said["created_by"]) == ("core", 1, 0, "alice")
    assert api.get(f"{SUITES}/{said['id']}")[1] == said
    assert api.get(SUITES)[1] == {"items": [said], "next": None}
    assert project.suites.get().sha256 == said["sha256"]


def test_a_bad_line_is_named_and_nothing_is_kept(api):
    status, said = send(api, LINES + b'{"prompt": 1}\n', format="trl")
    assert status == 422
    assert "line 2" in json.dumps(said)
    for body, name, format in (
        (LINES, "", "trl"),
        (LINES, "core", "none"),
        (b"", "core", "auto"),
        (b"\x00", "x", "auto"),
    ):
        assert send(api, body, name, format)[0] == 422, (body, name, format)
    assert not Suite.objects.exists()


def test_a_name_is_taken_once_and_a_key_is_answered_once(api):
    first = send(api, **{"Idempotency-Key": "k"})
    assert send(api, **{"Idempotency-Key": "k"}) == first
    status, said = send(api)
    assert (status, "already" in str(said["errors"])) == (422, True)
    assert Suite.objects.count() == 1


def test_versions_are_measured_on_it_by_their_numbers(api, project, version):
    suite = Suite.objects.create(project=project, name="core")
    status, job = api.post(f"{SUITES}/{suite.pk}/run", {"versions": [1]})
    assert (status, job["kind"]) == (202, "evaluate")
    assert project.jobs.get().params == {"suite": suite.pk, "versions": [version.pk]}
    status, said = api.post(f"{SUITES}/{suite.pk}/run", {"versions": [1, 5]})
    assert (status, said["errors"]) == (422, [{"field": "versions", "message": "The project has no version 5."}])


def test_results_have_wilsons_intervals(api, project, version):
    suite = measured(project, version, right=3, of=4)
    status, said = api.get(f"{SUITES}/{suite.pk}/results")
    assert status == 200
    (row,) = said["results"]
    assert row["version"] == 1
    assert row["accuracy"] == row["categories"]["math"]
    assert row["accuracy"]["value"] == 0.75
    assert (row["accuracy"]["low"], row["accuracy"]["high"]) == pytest.approx((0.3006, 0.9544), abs=1e-4)
    assert (said["suite"]["pairs"], said["trained_on"]) == (4, 0)


def test_a_researcher_reads_and_freezes_nothing(program, researcher, project, version):
    suite, looks = measured(project, version), program(researcher)
    assert looks.get(f"{SUITES}/{suite.pk}/results")[0] == 200
    assert send(looks)[0] == 403
    assert looks.post(f"{SUITES}/{suite.pk}/run", {"versions": [1]})[0] == 403
