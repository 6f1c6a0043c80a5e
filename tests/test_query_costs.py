"""What each page asks of the database: no GET route without its figure here, and none that asks for more."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.test_permissions import ROUTES, RULES, world  # noqa: F401  (a fixture)
from tests.test_queries import add_rows

FILES = ("annotate:export_file", "worker:exported", "worker:scored_file")  # streamed, or refused without a question
READ = sorted(
    name
    for name in ROUTES
    if "GET" in RULES[name].methods.split() and RULES[name].right != "public" and name not in FILES
)
# Queries of a superuser's GET, sessions included, on a project that has some of everything. Lower it when a page gets
# cheaper; before you raise it, look whether the page asks once per row (tests/test_queries.py) or twice for the same.
COSTS = {
    "annotate:account": 3,
    "annotate:ahead": 12,
    "annotate:audit": 6,
    "annotate:audit_file": 3,
    "annotate:case": 13,
    "annotate:decision": 4,
    "annotate:example": 8,
    "annotate:export": 4,
    "annotate:feedback": 11,
    "annotate:guidelines": 6,
    "annotate:guidelines_edit": 3,
    "annotate:guidelines_version": 5,
    "annotate:home": 6,
    "annotate:item": 13,
    "annotate:items": 6,
    "annotate:judge": 11,
    "annotate:keys": 2,
    "annotate:known": 6,
    "annotate:known_add": 4,
    "annotate:members": 6,
    "annotate:mine": 5,
    "annotate:new_project": 2,
    "annotate:next": 9,
    "annotate:outcomes": 3,
    "annotate:password": 2,
    "annotate:project": 9,
    "annotate:review": 11,
    "annotate:schema": 9,
    "annotate:settings": 3,
    "annotate:site_audit": 5,
    "annotate:site_audit_file": 2,
    "annotate:tokens": 4,
    "inspector:agreement": 55,
    "inspector:beside": 8,
    "inspector:best_of_n": 10,
    "inspector:best_of_n_file": 6,
    "inspector:calibration": 9,
    "inspector:changed": 26,
    "inspector:disputes": 5,
    "inspector:drift": 13,
    "inspector:drift_of_pools": 8,
    "inspector:heatmap": 22,
    "inspector:leaderboard": 8,
    "inspector:length": 7,
    "inspector:marks": 12,
    "inspector:raters": 8,
    "inspector:report": 8,
    "inspector:slices": 9,
    "inspector:surface": 13,
    "metrics": 8,
    "worker:backbones": 6,
    "worker:import": 4,
    "worker:job": 7,
    "worker:job_events": 6,
    "worker:jobs": 6,
    "worker:judgement_lineage": 7,
    "worker:lineage": 9,
    "worker:my_data": 32,
    "worker:my_file": 35,
    "worker:people": 6,
    "worker:person": 91,
    "worker:person_file": 38,
    "worker:pool_import": 3,
    "worker:pools": 7,
    "worker:queue": 7,
    "worker:rater_lineage": 7,
    "worker:rounds": 16,
    "worker:score_file": 5,
    "worker:selection": 9,
    "worker:serving": 6,
    "worker:suite": 17,
    "worker:suites": 5,
    "worker:sweep": 5,
    "worker:sweep_new": 5,
    "worker:sweeps": 5,
    "worker:train": 16,
    "worker:train_preview": 16,
    "worker:transform": 4,
    "worker:version": 10,
    "worker:version_lineage": 9,
    "worker:versions": 8,
    "worker:webhook": 6,
    "worker:webhooks": 4,
}


def test_every_page_has_its_figure():
    assert sorted(COSTS) == READ


@pytest.fixture
def costs(client, world, alice, person):  # noqa: F811
    """{route: how many queries its page takes}."""
    add_rows(world.here.project, alice, person, range(11, 13))
    user = world.people["superuser"]
    client.force_login(user)
    client.get("/")  # what is looked up once per process
    return {name: _cost(client, world.here.url(name, user)) for name in READ}


def _cost(browser, url):
    with CaptureQueriesContext(connection) as queries:
        response = browser.get(url)
    if response.streaming:
        assert b"".join(response)
    assert response.status_code in (200, 302), (url, response.status_code)
    return sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE")) for one in queries)


def test_no_page_asks_for_more(costs):
    assert {name: n for name, n in costs.items() if n > COSTS[name]} == {}
