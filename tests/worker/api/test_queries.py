"""A list of many takes as many queries as a list of one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.inspector.making import explain, make_item, make_version, score
from worker.models import Suite
from worker.services.job import launch

PROJECT = "/projects/answers"
LISTS = ["/jobs", "/versions", "/versions/1/scores", "/versions/1/attributions", "/suites"]


def furnish(project, n):
    version = make_version(project, n)
    item = make_item(project, f"Why {n}?", "a", "b")
    first = project.versions.get(number=1)
    for response in item.responses.all():
        score(first, {response: 0.5})
        explain(first, response)
    version.parent = first
    version.save()
    Suite.objects.create(project=project, name=str(n))
    job = launch(project=project, kind="score", params={}, actor=project.memberships.first().user)
    type(job).objects.filter(pk=job.pk).update(version=version)


def counted(api, path):
    with CaptureQueriesContext(connection) as queries:
        assert api.get(PROJECT + path)[0] == 200
    return len(queries)


@pytest.mark.usefixtures("version")
def test_a_list_of_many_takes_as_many_queries_as_a_list_of_one(api, project):
    api.get(PROJECT)  # writes when the token was used
    furnish(project, 2)
    alone = {path: counted(api, path) for path in LISTS}
    for n in range(3, 8):
        furnish(project, n)
    assert {path: counted(api, path) for path in LISTS} == alone
    assert max(alone.values()) <= 6
