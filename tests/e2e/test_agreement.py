"""The pages of agreement and raters in a real browser: drawn, and what is chosen in place is in the files."""

import pytest

from tests.inspector.test_people import judged  # noqa: F401

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visit(page, live_server, judged, client_of, alice):  # noqa: F811
    """Alice, signed in, opens a page of who judged."""
    page.context.add_cookies(
        [{"name": "sessionid", "value": client_of(alice).cookies["sessionid"].value, "url": live_server.url}]
    )

    def open_page(path):
        page.goto(f"{live_server.url}/p/{judged.slug}/agreement/{path}")
        page.wait_for_selector(".chart[data-drawn]")
        return page

    return open_page


def test_each_question_has_its_point(visit):
    page = visit("")
    page.wait_for_function("() => document.querySelectorAll('.chart .point').length === 2")
    assert page.locator(".chart .xtick").count() > 2


def test_two_raters_are_compared_in_place_and_the_file_follows(visit):
    page = visit("raters/")
    assert page.locator(".chart .point").count() == 2 * 4
    page.select_option("#first", "name:ann")
    page.select_option("#second", "name:cem")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector("text=Cohen’s κ on 40 pairs")
    with page.expect_download() as saving:
        page.get_by_role("link", name="JSON").click()
    assert '"cohen"' in saving.value.path().read_text()
