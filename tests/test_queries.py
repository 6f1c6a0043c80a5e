"""No page asks the database once per row: with four times the rows, every page costs as many queries as before."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotate.models import Role
from annotate.services.invite import create_invite
from annotate.services.project import add_member, create_project
from tests.inspector.making import explain, judge, make_item, make_pool, make_version, mark, score
from worker.models import Sweep
from worker.services.job import launch
from worker.services.node import beat
from worker.services.serve_token import create_serve_token
from worker.services.webhook import create_webhook

pytestmark = pytest.mark.django_db
PAGES = (
    "", "items/", "members/", "review/", "known/", "guidelines/", "outcomes/", "jobs/", "import/", "train/",
    "train/preview/?name=heads&backbone=minilm&queue=cpu", "queue/", "sweeps/", "sweeps/new/",
    "versions/", "versions/1/", "pools/", "serving/", "score-file/", "rounds/", "suites/", "leaderboard/", "selection/",
    "lineage/", "versions/1/lineage/", "webhooks/",
)  # fmt: skip
VIEWS = (
    "heatmap/",
    "length/",
    "surface/",
    "slices/",
    "calibration/",
    "changed/",
    "drift/",
    "best-of-n/",
    "raters/",
    "report/",
    "transform/",
    "marks/",
)


def add_rows(project, alice, person, numbers):
    for number in numbers:
        item = make_item(project, f"question {number}", "one two", "three four five")
        first, second = item.responses.all()
        version = make_version(project, number)
        score(version, {first: 1.0, second: 0.5})
        mark(judge(item, [[first], [second]]), first, "one")
        explain(version, first)
        explain(version, second)
        make_pool(project, version, {f"p{n}": [(0.5, 1.0), (0.25, 0.0)] for n in range(number)})
        create_serve_token(project=project, name=f"trainer {number}", actor=alice)
        create_webhook(project=project, url="https://example.org/", kinds=["job.done"], actor=alice)
        launch(project=project, kind="file", params={"name": "a"}, actor=alice)
        launch(project=project, kind="import", params={"name": "a"}, actor=alice)
        beat(name=f"host:{number}", device="cpu", queues=["cpu"], started_at=timezone.now())
        Sweep.objects.create(project=project, snapshot=version.snapshot, recipe={"name": "heads"}, grid={})
        add_member(project=project, user=person(f"rater {number}"), role=Role.ANNOTATOR)
        create_invite(project=project, role=Role.ANNOTATOR, actor=alice)
        create_project(slug=f"other-{number}", name="Other", actor=alice)


def cost(browser, url):
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)


def test_more_rows_cost_no_more_queries(project, alice, person, client_of):
    browser = client_of(alice)
    urls = ["/", *(f"/p/answers/{page}" for page in PAGES), *(f"/p/answers/versions/1/{view}" for view in VIEWS)]
    add_rows(project, alice, person, range(1, 3))
    browser.get("/p/answers/")  # what is looked up once per process
    before = {url: cost(browser, url) for url in urls}
    add_rows(project, alice, person, range(3, 9))
    assert {url: cost(browser, url) for url in urls} == before
