"""axe-core finds nothing on any page, light or dark: each page of the URL table, and the judging page in its states."""

import pytest

from tests.e2e.axe import violations
from tests.e2e.desk_page import mark_first_word, ready, submit, wait_state
from tests.test_permissions import ROUTES, RULES, world  # noqa: F401

pytestmark = pytest.mark.e2e
PAGES = sorted(name for name in ROUTES if "GET" in RULES[name].methods and RULES[name].right != "token")
FILES = {  # no pages, or lead to one
    "annotate:ahead",
    "annotate:audit_file",
    "annotate:export_file",
    "annotate:next",
    "annotate:site_audit_file",
    "inspector:best_of_n_file",
    "metrics",
    "worker:exported",
    "worker:job_events",
    "worker:my_file",
    "worker:person_file",
    "worker:scored_file",
    "worker:train_preview",
}


def test_no_page_has_a_violation(page, live_server, client_of, world):  # noqa: F811
    boss = world.people["superuser"]
    cookie = client_of(boss).cookies["sessionid"].value
    found = []
    for name in PAGES:
        if name in FILES:
            continue
        signed_in = RULES[name].right != "public"
        page.context.clear_cookies()
        if signed_in:
            page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        response = page.goto(live_server.url + world.here.url(name, boss if signed_in else None))
        assert response.status < 400, f"{name}: {response.status}"
        found += violations(page, name)
    assert found == []


STATES = {
    "a list of keys": ("?",),
    "guidelines": ("g",),
    "a skip": ("x",),
    "a flag": ("F2",),
    "marking": ("s", "ArrowRight"),
    "a mark": ("s", "ArrowRight", "1"),
    "something missing": ("a",),
    "raw text": ("v",),
    "an answer that was refused": ("d",),
    "cannot judge": ("9",),
}


@pytest.mark.parametrize("state", STATES)
def test_no_state_of_the_judging_page_has_a_violation(database, desk, state):
    for key in STATES[state]:
        desk.keyboard.press(key)
    assert violations(desk, state) == []


def test_two_tabs_to_bring_together_and_work_kept_here_have_no_violation(database, desk):
    tab = desk.context.new_page()
    tab.goto(desk.url)
    ready(tab)
    tab.route("**/draft/", lambda route: route.abort())
    tab.keyboard.press("4")
    wait_state(tab, "kept here")
    found = violations(tab, "kept here")
    desk.keyboard.press("1")
    wait_state(desk, "saved on server")
    tab.unroute("**/draft/")
    tab.locator("dialog.conflict").wait_for()
    found += violations(tab, "to bring together")
    tab.close()
    assert found == []


def test_after_a_swap_the_page_is_as_good_as_loaded(database, desk):
    mark_first_word(desk)
    desk.keyboard.press("4")
    submit(desk, "d")
    assert violations(desk, "after a swap") == []
