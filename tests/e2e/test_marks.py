"""The page of marks in a real browser: its chart, another question in place, and what is sent to the raters."""

import pytest
from django.urls import reverse

from annotate.models import Role
from annotate.services.again import FRONT
from annotate.services.project import add_member, create_project
from tests.e2e.axe import violations
from tests.inspector.making import explain, judge, make_item, make_version, mark

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
POINT = ".chart[data-drawn] .scatterlayer .point"


@pytest.fixture
def version(person):
    """Eight prompts; a word is marked as wrong, another as irrelevant, and the model minds the first but once."""
    project = create_project(slug="rivers", name="Rivers")
    add_member(project=project, user=person("rita"), role=Role.ADMIN)
    version = make_version(project)
    for number in range(8):
        item = make_item(project, f"Question {number}?", "All is good here.", "This is bad. That is odd.")
        a, b = item.responses.all()
        said = judge(item, [[a], [b]], checked=[a.pk])
        mark(said, b, "bad")
        mark(said, b, "odd", "irrelevant")
        for response in (a, b):
            explain(version, response, bad=0.5 if number == 3 else -0.5, odd=0.05 * number)
    return version


@pytest.fixture
def marks(page, live_server, version, client_of, django_user_model):
    """Rita, signed in, opens the page."""
    session = client_of(django_user_model.objects.get(username="rita")).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(live_server.url + reverse("inspector:marks", args=["rivers", 1]))
    return page


def test_the_chart_shows_each_kind_beside_place_alone(marks):
    marks.wait_for_selector(POINT)
    assert marks.locator(POINT).count() == 2 * 3  # any, wrong, irrelevant; the model and later words
    assert violations(marks) == []


def test_another_question_is_answered_in_place_and_kept_in_the_link(marks):
    marks.wait_for_selector(POINT)
    marks.select_option("#method", "ig")
    marks.wait_for_selector("text=Not explained yet")
    assert "method=ig" in marks.url
    marks.reload()
    assert marks.locator("#method").input_value() == "ig"
    assert marks.get_by_text("Not explained yet").is_visible()


def test_back_shows_the_question_before_with_its_chart(marks):
    marks.wait_for_selector(POINT)
    marks.select_option("#method", "ig")
    marks.wait_for_selector("text=Not explained yet")
    marks.go_back()
    marks.wait_for_selector(POINT)
    assert marks.locator("#method").input_value() == "exact"


def test_what_differs_is_sent_to_the_raters_and_taken_back(marks, version):
    marks.locator("#liked-rows").get_by_label("Choose: bad").check()
    marks.locator("form", has=marks.locator("#liked-rows")).get_by_role("button", name="Send the chosen").click()
    assert marks.locator("#liked-rows").get_by_text("sent, waiting").count() == 2  # two rows are of this response
    assert version.project.tasks.filter(priority=FRONT).count() == 1
    marks.locator("#sent").get_by_role("button", name="Undo").click()
    marks.wait_for_selector("#sent", state="detached")
    assert not version.project.tasks.filter(priority=FRONT).exists()
