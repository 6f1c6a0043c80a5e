"""A rater at the judging page, in a real browser against a real server; the database is read back."""

import pytest

from tests.e2e.desk_page import mark_first_word, ready, said, shown, submit, wait_saved, wait_state

pytestmark = pytest.mark.e2e


def test_a_task_is_judged_by_keyboard_alone(database, desk):
    assert desk.locator("#answer input:checked").count() == 0
    mark_first_word(desk)
    for key in ("Shift+C", "r", "4", "2", "Shift+R", "5", "5", "6", "e"):
        desk.keyboard.press(key)
    desk.keyboard.type("Right knows where it is.")
    submit(desk)
    (judgement,) = database.rows("judgement")
    left, right = judgement["shown_order"]
    assert (judgement["outcome"], judgement["strength"]) == ("ranking", 2)
    assert judgement["ranking"] == [[right], [left]]
    assert judgement["ratings"] == {
        str(left): {"helpful": 4, "clarity": 2},
        str(right): {"helpful": 5, "clarity": 5},
    }
    assert (judgement["checked"], judgement["rationale"]) == ([right], "Right knows where it is.")
    (span,) = database.rows("span")
    assert (span["response_id"], span["quote"], span["category"]) == (left, "tower", "wrong")
    assert database.text(left)[span["start"] : span["end"]] == "tower"


def test_a_reload_in_the_middle_keeps_everything(database, desk):
    mark_first_word(desk)
    desk.locator(".mark [name=note]").first.fill("not a tower")
    desk.keyboard.press("Escape")
    for key in ("2", "Shift+R", "3", "Shift+A"):
        desk.keyboard.press(key)
    desk.keyboard.type("the river")
    wait_saved(desk)
    before = shown(desk)
    desk.reload()
    ready(desk)
    assert shown(desk) == before
    assert desk.locator("[name=outcome]:checked").get_attribute("value") == "left-2"
    submit(desk)
    (judgement,) = database.rows("judgement")
    _, right = judgement["shown_order"]
    assert [(span["quote"], span["note"]) for span in database.rows("span")] == [("tower", "not a tower")]
    assert judgement["ratings"] == {str(right): {"helpful": 3}}
    assert [(o["response"], o["note"]) for o in judgement["omissions"]] == [(right, "the river")]


def test_pressing_submit_many_times_stores_one_row(database, desk):
    desk.keyboard.press("4")
    old = desk.url
    desk.evaluate("for (let i = 0; i < 5; i++) document.getElementById('answer').requestSubmit()")
    desk.wait_for_url(lambda url: url != old)
    assert [row["outcome"] for row in database.rows("judgement")] == ["tie"]


def test_without_the_network_the_work_is_kept_and_sent_later(database, desk):
    desk.context.set_offline(True)
    desk.keyboard.press("8")
    wait_state(desk, "offline – kept here")
    desk.keyboard.press("Control+Enter")
    wait_state(desk, "submits when")
    assert database.rows("judgement") == []
    old = desk.url
    desk.context.set_offline(False)
    desk.wait_for_url(lambda url: url != old)
    assert [row["outcome"] for row in database.rows("judgement")] == ["both_bad"]


def test_work_that_never_reached_the_server_survives_a_reload(database, desk):
    desk.route("**/draft/", lambda route: route.abort())
    desk.keyboard.press("1")
    wait_state(desk, "kept here")
    desk.unroute("**/draft/")
    desk.reload()
    assert ready(desk).locator("[name=outcome]:checked").get_attribute("value") == "left-3"
    wait_saved(desk)
    assert database.rows("assignment")[0]["draft"]["answer"]["strength"] == 3


def test_signed_out_in_the_middle_the_work_is_kept_and_goes_on(database, desk, site):
    desk.context.clear_cookies()
    desk.keyboard.press("1")
    desk.locator("#alert", has_text="signed out").wait_for()
    assert desk.get_by_role("button", name="Sign in").is_visible()
    assert database.rows("assignment")[0]["draft"] == {}
    desk.context.add_cookies([{"name": "sessionid", "value": site.session, "url": site.url}])
    desk.evaluate("fetch('/')")  # any page gives the cookie that the next request needs
    desk.keyboard.press("2")
    wait_saved(desk)
    assert database.rows("assignment")[0]["draft"]["answer"]["strength"] == 2


def test_a_wrong_answer_is_said_at_its_field_and_back_leads_to_a_change(database, desk):
    desk.keyboard.press("Control+Enter")
    desk.locator('[data-error="outcome"]:not(:empty)').wait_for()
    assert said(desk) == "not submitted: Say which response is better."
    desk.keyboard.press("9")
    desk.keyboard.press("Control+Enter")
    desk.locator('[data-error="reason"]:not(:empty)').wait_for()
    desk.keyboard.type("Not my language.")
    submit(desk)
    submit(desk, "b")
    assert desk.locator("[name=reason]").input_value() == "Not my language."
    submit(desk, "x")  # leaves the answer as it is
    submit(desk, "b")
    desk.keyboard.press("4")
    submit(desk)
    assert [(r["outcome"], bool(r["superseded"])) for r in database.rows("judgement")] == [
        ("cannot_judge", True),
        ("tie", False),
    ]


def test_what_a_key_did_is_said_aloud_and_saving_is_not(database, desk):
    desk.keyboard.press("6")
    wait_saved(desk)
    assert said(desk) == "Right: better."
    desk.keyboard.press("Shift+C")
    assert said(desk) == "Right. Checked, nothing to mark."
    mark_first_word(desk)
    desk.keyboard.press("c")
    assert said(desk) == "Left. This response has marks."


def test_escape_leads_from_a_note_to_its_mark_and_takes_back_an_empty_omission(database, desk):
    for key in ("s", "1", "n", "Enter"):
        desk.keyboard.press(key)
    desk.keyboard.type("why not")
    for key in ("Escape", "?", "Escape", "Delete", "Escape", "Escape"):  # the keys can be looked up on the way
        desk.keyboard.press(key)
    assert desk.locator(".mark").count() == 0
    desk.keyboard.press("Shift+A")
    desk.keyboard.press("Escape")
    assert desk.locator(".omission").count() == 0
    desk.keyboard.press("Shift+C")
    assert desk.locator("[data-checked]").nth(1).is_checked()


def test_raw_and_rendered_show_the_same_marks_and_nothing_scrolls_sideways(database, desk):
    desk.set_viewport_size({"width": 1024, "height": 768})
    mark_first_word(desk)
    sideways = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not desk.evaluate(sideways)
    desk.keyboard.press("Escape")
    desk.keyboard.press("v")
    assert desk.locator("pre.raw").first.is_visible()
    assert desk.locator(".mark").count() == 1
    assert not desk.evaluate(sideways)
    desk.keyboard.press("v")
    for key, left in (("z", 0), ("Shift+Z", 1)):  # the history goes on across the switch
        desk.keyboard.press(key)
        assert desk.locator(".mark").count() == left
