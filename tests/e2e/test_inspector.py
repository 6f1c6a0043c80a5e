"""The inspector in a real browser: charts are drawn in both themes, and an explanation arrives by itself."""

import pytest
from django.urls import reverse

from annotate.models import Role
from annotate.services.project import add_member, create_project
from tests.inspector.making import explain, judge, make_item, make_pool, make_version, mark, score
from worker.models import Job

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def version(person):
    project = create_project(slug="rivers", name="Rivers")
    add_member(project=project, user=person("rita"), role=Role.RESEARCHER)
    return make_version(project)


@pytest.fixture
def oder(version):
    item = make_item(version.project, "Where does the Oder end?", "In the Baltic Sea.", "In the <North> Sea 😀.")
    a, b = item.responses.all()
    score(version, {a: 0.0, b: 1.0})
    mark(judge(item, [[a], [b]]), b, "<North>")
    return item


@pytest.fixture
def visit(page, live_server, version, client_of, django_user_model):
    """Rita, signed in, opens a room of the version."""
    session = client_of(django_user_model.objects.get(username="rita")).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    def open_room(name):
        page.goto(live_server.url + reverse(f"inspector:{name}", args=["rivers", 1]))
        return page

    return open_room


def test_charts_are_drawn_and_follow_the_theme(visit, version, oder):
    make_pool(version.project, version, {"p": [(float(i), float(-abs(i - 6))) for i in range(16)]})
    page = visit("drift")
    page.wait_for_selector(".chart[data-drawn] .scatterlayer .trace")
    ink = "() => getComputedStyle(document.querySelector('.chart .xtick text')).fill"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => ({ink})() !== before", arg=light)
    page = visit("length")
    page.wait_for_selector(".chart[data-drawn] .scatterlayer .point")
    assert page.locator(".chart .scatterlayer .trace").first.locator(".point").count() == 2


def test_an_explanation_arrives_by_itself_and_is_read_by_keyboard(visit, version, oder):
    page = visit("heatmap")
    page.wait_for_selector("text=Waiting for a worker")
    assert Job.objects.get().params["methods"] == ["exact", "ig"]
    for response in oder.responses.all():
        explain(version, response, North=-0.4)
    page.wait_for_selector(".heat")
    second = page.locator(".heat").nth(1)
    assert second.inner_text() == oder.responses.last().text
    second.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.locator("#told").inner_text() == "B “North” −0.4000"
