import pytest

from annotate.services.project import create_project
from tests.inspector.making import explain, make_item

ASK = "/projects/answers/versions/1/attributions"


@pytest.fixture
def texts(oder):
    return list(oder.responses.all())


def test_a_pair_is_explained_by_one_job(api, project, version, texts):
    wanted = {"responses": [texts[1].pk, texts[0].pk], "methods": ["ig", "exact"], "head": "attribute:helpful"}
    status, job = api.post(ASK, wanted)
    assert (status, job["kind"]) == (202, "attribute")
    assert project.jobs.get().params == {
        "version": version.pk, "responses": sorted(one.pk for one in texts), "methods": ["exact", "ig"],
        "heads": ["attribute:helpful"],
    }  # fmt: skip
    assert api.post(ASK, wanted)[1]["id"] == job["id"]  # it does so already
    assert api.post(ASK, wanted | {"head": "preference"})[1]["id"] != job["id"]


def test_what_cannot_be_explained_is_said_by_field(api, project, version, alice):
    strange = make_item(create_project(slug="others", name="Others", actor=alice), "Why?", "a", "b").responses.first()
    status, said = api.post(ASK, {"responses": [strange.pk], "methods": ["magic"], "head": "none"})
    assert status == 422
    assert {one["field"] for one in said["errors"]} == {"responses", "methods", "head"}
    for wrong in ({}, {"responses": []}, {"responses": [10**30]}, {"responses": list(range(1, 102))}):
        assert api.post(ASK, wrong)[0] == 422, wrong
    assert not project.jobs.exists()


def test_explanations_are_listed_without_their_tokens(api, version, texts):
    ours = explain(version, texts[0], museum=0.5)
    explain(version, texts[1], head="segment:wrong")
    _, said = api.get(ASK, response=texts[0].pk, method="exact", head="preference")
    assert [one["id"] for one in said["items"]] == [ours.pk]
    assert said["items"][0] | {"created_at": ""} == {
        "id": ours.pk, "version": 1, "item": texts[0].item_id, "response": texts[0].pk, "head": "preference",
        "method": "exact", "score": ours.score, "baseline": 0.125, "residual": 0.002, "created_at": "",
    }  # fmt: skip
    assert len(api.get(ASK)[1]["items"]) == 2


def test_one_explanation_adds_up_to_the_score(api, version, texts):
    found = explain(version, texts[0], Baltic=0.5)
    status, said = api.get(f"{ASK}/{found.pk}")
    assert status == 200
    assert {"text": "Baltic", "start": 7, "end": 13, "part": "response", "value": 0.5} in said["tokens"]
    assert said["sum"] == pytest.approx(said["score"], abs=1e-9)
    assert said["adds_up"] is True
    parts = sum(token["value"] for token in said["tokens"]) + sum(said["features"].values())
    assert said["baseline"] + parts + said["residual"] == pytest.approx(said["sum"])


def test_stretches_stand_in_the_place_of_their_tokens(api, version, texts):
    found = explain(version, texts[0], method="shapley")
    found.units = [{"start": 0, "end": 9, "value": 0.25, "error": None}]
    found.save()
    _, said = api.get(f"{ASK}/{found.pk}")
    others = sum(token["value"] for token in said["tokens"] if token["part"] != "response")
    assert said["sum"] == pytest.approx(0.125 - 0.25 + others + 0.25 + 0.002)


def test_a_researcher_may_ask_and_an_annotator_may_not(program, researcher, bob, version, texts):
    assert program(researcher).post(ASK, {"responses": [texts[0].pk]})[0] == 202
    assert program(bob).post(ASK, {"responses": [texts[0].pk]})[0] == 403
    assert program(researcher, "see").post(ASK, {"responses": [texts[0].pk]})[0] == 403
