"""Length and surface in a real browser: charts are drawn, a toggle redraws, counts and probes arrive by themselves."""

import pytest
from django.urls import reverse

from annotate.models import Response, Role
from annotate.services.project import add_member, create_project
from tests.inspector.making import judge, make_item, make_version, score
from worker.models import Job, Probe, Surface
from worker.surface import counts

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
POINT = ".chart[data-drawn] .scatterlayer .point"


@pytest.fixture
def version(person):
    """Twelve prompts; what is longer, and what is bold, gets more."""
    project = create_project(slug="rivers", name="Rivers")
    add_member(project=project, user=person("rita"), role=Role.RESEARCHER)
    version = make_version(project)
    for number in range(12):
        item = make_item(project, f"question {number}", "word " * (5 + number), "**word** " * (9 + 3 * (number % 5)))
        a, b = item.responses.all()
        score(version, {a: 0.1 * number, b: 1.0 + 0.2 * (number % 5)})
        judge(item, [[a], [b]] if number % 3 else [[b], [a]])
    return version


@pytest.fixture
def visit(page, live_server, version, client_of, django_user_model):
    """Rita, signed in, opens a room of the version."""
    session = client_of(django_user_model.objects.get(username="rita")).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    def open_room(name):
        page.goto(live_server.url + reverse(f"inspector:{name}", args=["rivers", 1]))
        return page

    return open_room


def points(page, chart):
    drawn = page.locator(f'.chart[data-figure="{chart}"][data-drawn] .scatterlayer .trace')
    return drawn.first.locator(".point").count()


def counted():
    """What the worker would write: its job cannot run in the thread that drives a browser."""
    Surface.objects.bulk_create(Surface(response=one, **counts(one.text)) for one in Response.objects.all())
    Job.objects.filter(kind="surface").update(state="done")


def test_length_is_drawn_and_the_toggle_draws_it_again(visit):
    page = visit("length")
    page.wait_for_selector(POINT)
    assert points(page, "figure") == 24
    assert page.locator('.chart[data-figure="gains"][data-drawn] .scatterlayer .point').count() >= 4
    before = page.locator("#numbers tbody tr").first.inner_text()
    page.select_option("#score", "calibrated")
    page.wait_for_selector("text=Calibrated: what the LOWESS curve")
    page.wait_for_selector(POINT)
    assert points(page, "figure") == 24
    assert page.locator("#numbers tbody tr").first.inner_text() != before
    assert "score=calibrated" in page.url


def test_a_count_and_a_probing_arrive_by_themselves(visit, version):
    page = visit("surface")
    page.wait_for_selector("text=Waiting for a worker")
    counted()
    page.wait_for_selector(POINT)
    assert page.locator("#matrix tbody tr").count() == points(page, "figure") + 1  # length is held equal to itself
    page.click("text=Probe this version")
    page.wait_for_selector("#probing")
    for n, response in enumerate(Response.objects.all()):
        rows = [("same", n / 10), ("padding", n / 10 + 0.3 * (n % 2))]
        Probe.objects.bulk_create(
            Probe(version=version, response=response, swap=swap, before=n / 10, after=value) for swap, value in rows
        )
    Job.objects.filter(kind="probe").update(state="done")
    page.wait_for_selector('.chart[data-figure="probe-figure"][data-drawn] .point')
    assert points(page, "probe-figure") == 1


def test_a_probing_can_be_stopped(visit):
    page = visit("surface")
    page.click("text=Probe this version")
    page.click("#probing >> text=Stop")
    page.wait_for_selector("text=Nothing probed yet")
    assert Job.objects.get(kind="probe").state == "cancelled"


@pytest.mark.parametrize("room", ["length", "surface"])
def test_a_narrow_window_scrolls_no_page(visit, page, version, room):
    page.set_viewport_size({"width": 390, "height": 800})
    counted()
    visit(room).wait_for_selector(POINT)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
