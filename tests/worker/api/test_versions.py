import pytest

from annotate.models.item import Split
from tests.inspector.making import judge, make_version
from worker.models import Job, SnapshotRow, Suite
from worker.models.suite import SuitePair, SuiteScore
from worker.services.standing import settle

VERSIONS = "/projects/answers/versions"
ACCURACY = {"value": 0.75, "low": 0.4, "high": 0.95, "n": 8}


def measured(project, version, right=3, of=4):
    """A suite of pairs of which the version has so many right."""
    suite = Suite.objects.create(project=project, name="core")
    for n in range(of):
        pair = SuitePair.objects.create(suite=suite, turns=[], chosen="a", rejected="b", category="math")
        SuiteScore.objects.create(version=version, pair=pair, chosen=1.0 if n < right else -1.0, rejected=0.0)
    settle(suite, [version])
    return suite


def test_versions_come_the_newest_first_and_by_state(api, project, version):
    second = make_version(project, 2)
    second.parent = version
    second.save()
    status, said = api.get(VERSIONS)
    assert status == 200
    assert [(one["number"], one["parent"], one["pair_accuracy"]) for one in said["items"]] == [
        (2, 1, None),
        (1, None, None),
    ]
    assert api.get(VERSIONS, state="promoted")[1]["items"] == []
    assert api.get(VERSIONS, state="best")[0] == 422


def test_one_version_has_metrics_with_intervals_lineage_and_standing(api, project, version, oder):
    said_of = judge(oder, [[oder.responses.all()[0]], [oder.responses.all()[1]]], rater_name="Dana")
    SnapshotRow.objects.create(snapshot=version.snapshot, judgement=said_of, split=Split.TRAIN)
    version.metrics = {"pair_accuracy": ACCURACY, "baselines": {"longer_wins": ACCURACY}}
    version.save()
    suite = measured(project, version)
    status, said = api.get(f"{VERSIONS}/1")
    assert status == 200
    assert said["pair_accuracy"] == ACCURACY | {"why": ""}
    assert said["metrics"]["baselines"]["longer_wins"] == ACCURACY
    assert "75" in said["words"][0]
    assert said["lineage"] == {
        "counts": {}, "train": 1, "test": 0, "withdrawn": 0, "raters": 1, "added": None, "removed": None,
    }  # fmt: skip
    assert [(one["suite"], one["name"], one["accuracy"]["value"]) for one in said["standing"]] == [
        (suite.pk, "core", 0.75)
    ]
    assert said["standing"][0]["accuracy"]["low"] == pytest.approx(0.3006, abs=1e-4)  # Wilson's, of 3 in 4


def test_a_version_is_promoted_and_the_one_before_archived(api, project, version):
    make_version(project, 2)
    assert api.post(f"{VERSIONS}/1/promote")[1]["state"] == "promoted"
    assert api.post(f"{VERSIONS}/2/promote")[1]["state"] == "promoted"
    assert api.get(f"{VERSIONS}/1")[1]["state"] == "archived"
    assert api.post(f"{VERSIONS}/2/archive")[1]["state"] == "archived"
    assert project.events.filter(kind="version.promoted").count() == 2


def test_what_there_is_not_is_not_found(api, project, version):
    for path in (f"{VERSIONS}/2", f"{VERSIONS}/{10**30}", f"{VERSIONS}/-1", "/projects/none/versions"):
        status, said = api.get(path)
        assert (status in (404, 422), "detail" in said) == (True, True), path


def test_a_researcher_promotes_nothing(program, researcher, version):
    looks = program(researcher)
    assert looks.get(f"{VERSIONS}/1")[0] == 200
    assert looks.post(f"{VERSIONS}/1/promote")[0] == 403
    assert looks.post(f"{VERSIONS}/1/score")[0] == 403
    assert not Job.objects.exists()
