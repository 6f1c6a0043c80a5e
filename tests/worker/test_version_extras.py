"""What a version's page tells of heads that few versions have."""

import pytest

from tests.inspector.making import make_version

PART = {"value": 0.25, "low": 0.2, "high": 0.31, "n": 40}
METRICS = {
    "steps": {"auroc": PART | {"value": 0.912}, "n": 40, "wrong": 7},
    "quantiles": {"0.25": PART},
    "gate": {"strength": 2.0, "taken": {"helpful": 0.37}, "share": {"helpful": 0.8, "accurate": 0.2}},
    "member_correlation": 0.95,
}
SAID = {
    "steps": "40 held-out steps, 7 of them wrong",
    "quantiles": "Held-out ratings below it",
    "gate": "0.37 of verbosity was taken out of helpful",
    "member_correlation": "members correlate by 0.950",
}


@pytest.mark.parametrize("name", METRICS)
def test_each_is_told_where_it_is_and_not_where_it_is_not(name, client, alice, project):
    version = make_version(project, 1)
    version.metrics = {name: METRICS[name]}
    version.save()
    client.force_login(alice)
    page = " ".join(client.get("/p/answers/versions/1/").content.decode().split())
    assert [key for key, text in SAID.items() if text in page] == [name]
