"""The rater's own keys: chosen by pressing them, obeyed by the judging page, one hand enough for a whole task."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_page import ready, submit

pytestmark = pytest.mark.e2e


@pytest.fixture
def my_keys(database, desk, site):
    """The page of keys; they are put back after the test."""
    desk.goto(f"{site.url}/keys/")
    yield desk
    database.connection.execute("UPDATE annotate_user SET keys = '{}'")


def save(page):
    page.get_by_role("button", name="Save my keys").click()
    page.locator(".toast", has_text="saved").wait_for()


def judging(page, site):
    page.goto(f"{site.url}/p/answers/judge/")
    return ready(page)


def test_a_key_is_chosen_by_pressing_it_and_works_at_once(database, my_keys, site):
    my_keys.locator("#key-submit").press("m")
    save(my_keys)
    page = judging(my_keys, site)
    assert page.locator("#submit kbd").text_content() == "m"
    page.keyboard.press("4")
    page.keyboard.press("d")  # the old one does nothing now
    submit(page, "m")
    assert [row["outcome"] for row in database.rows("judgement")] == ["tie"]


def test_two_acts_on_one_key_are_told_at_once_and_again_by_the_server(database, my_keys):
    my_keys.locator("#key-submit").press("x")
    expect(my_keys.locator("#wrong-submit")).to_contain_text("Skip this task")
    my_keys.get_by_role("button", name="Save my keys").click()
    expect(my_keys.locator("#wrong-submit")).to_contain_text("does something else already")
    rows = database.connection.execute("SELECT DISTINCT keys FROM annotate_user").fetchall()
    assert [row["keys"] for row in rows] == ["{}"]


def test_one_left_hand_judges_a_whole_task(database, desk):
    for key in ("Shift+C", "r", "4", "2", "Shift+R", "5", "5", "2", "e"):
        desk.keyboard.press(key)
    desk.keyboard.type("stewardesses")
    desk.keyboard.press("Escape")
    submit(desk, "d")
    (row,) = database.rows("judgement")
    assert (row["outcome"], row["rationale"], len(row["checked"]), len(row["ratings"])) == (
        "ranking",
        "stewardesses",
        1,
        2,
    )


def test_one_right_hand_judges_a_whole_task(database, my_keys, site):
    my_keys.get_by_role("button", name="Right hand").click()
    my_keys.locator(".toast", has_text="saved").wait_for()
    page = judging(my_keys, site)
    for key in ("Shift+N", "k", "6", "7"):
        page.keyboard.press(key)
    submit(page, "Enter")
    (row,) = database.rows("judgement")
    assert (row["outcome"], row["strength"], len(row["checked"])) == ("ranking", 3, 1)


def test_caps_lock_and_half_a_chord_do_not_reach_the_other_response(database, desk):
    desk.keyboard.press("C")  # a capital without Shift: Caps Lock
    assert desk.locator("[data-checked]").nth(0).is_checked()
    desk.keyboard.press("Shift")
    desk.keyboard.press("Control")
    desk.keyboard.press("Alt+d")
    desk.keyboard.press("Control+d")
    assert desk.locator("[data-checked]:checked").count() == 1
    assert database.rows("judgement") == []


def test_a_hostile_key_in_the_database_is_text_and_does_nothing(database, my_keys, site):
    hostile = '{"submit": "</script><img src=x onerror=document.body.dataset.broken=1>"}'
    database.connection.execute("UPDATE annotate_user SET keys = ?", [hostile])
    page = judging(my_keys, site)
    assert page.locator("#submit kbd").text_content() == "d"
    assert page.evaluate("document.body.dataset.broken") is None
