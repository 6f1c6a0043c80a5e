"""Work is never lost, sent twice or sent elsewhere: networks cut, tabs killed, sessions ended, keys in a hurry.

The database is read past the server. These are the complaints 1, 2, 16, 21 and 22 of the reference.
"""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_page import ready, submit, wait_saved, wait_state

pytestmark = pytest.mark.e2e


def another(page, url=None):
    """A second tab of the same browser, on the same task unless said otherwise."""
    tab = page.context.new_page()
    tab.goto(url or page.url)
    return tab


def outcomes(database):
    return [row["outcome"] for row in database.rows("judgement")]


def draft_of(database, n=0):
    return database.rows("assignment")[n]["draft"].get("answer", {})


def write(page, words):
    page.keyboard.press("e")
    page.keyboard.type(words)
    page.keyboard.press("Escape")


def chosen(page):
    return page.locator("[name=outcome]:checked")


# ---- The network, the tab, the session


def test_two_minutes_without_a_network_lose_nothing(database, desk):
    desk.clock.install()
    desk.reload()
    ready(desk)
    desk.context.set_offline(True)
    desk.keyboard.press("4")
    for minute in ("one", "two"):
        write(desk, f" {minute}")
        for _ in range(4):  # each time it tries again, and fails
            desk.clock.run_for(15000)
    wait_state(desk, "kept here")
    assert draft_of(database) == {}
    desk.context.set_offline(False)
    wait_for_network(desk)
    desk.clock.run_for(20000)
    wait_saved(desk)
    assert (draft_of(database)["outcome"], draft_of(database)["rationale"]) == ("tie", " one two")


def wait_for_network(page):
    """Until it is really there: what the page tries as soon as it is said to be may fail yet."""
    page.wait_for_function("fetch('/static/css/text.css', { cache: 'no-store' }).then(() => true, () => false)")


def test_a_killed_tab_leaves_its_draft_to_the_next_one(database, desk):
    desk.route("**/draft/", lambda route: route.abort())
    desk.keyboard.press("1")
    write(desk, "kept words")
    wait_state(desk, "kept here")
    url = desk.url
    desk.close()
    tab = ready(another(desk, url))
    expect(tab.locator("[name=rationale]")).to_have_value("kept words")
    assert chosen(tab).get_attribute("value") == "left-3"
    wait_saved(tab)
    assert draft_of(database)["rationale"] == "kept words"
    tab.close()


def test_a_submit_outlives_its_tab_and_is_sent_once_from_the_project_page(database, desk, site):
    desk.route("**/submit/", lambda route: route.abort())
    desk.keyboard.press("4")
    desk.keyboard.press("d")
    wait_state(desk, "submits when the server is back")
    desk.close()
    tabs = [another(desk, f"{site.url}/p/answers/") for _ in range(2)]
    expect_rows(database, tabs[0], ["tie"])
    for tab in tabs:
        tab.close()


def expect_rows(database, page, wanted):
    """Ask the database again while the page goes on; the bound is for what never comes."""
    for _ in range(100):
        if outcomes(database) == wanted:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(300)  # whatever would be sent twice is sent by now
    assert outcomes(database) == wanted


def test_an_answer_that_came_but_was_never_acknowledged_is_stored_once(database, desk):
    lost = []

    def lose(route):
        if lost:
            return route.continue_()
        lost.append(route.fetch())  # it reaches the server, whose answer is lost
        return route.abort()

    desk.route("**/submit/", lose)
    desk.keyboard.press("4")
    submit(desk)
    assert len(lost) == 1
    assert outcomes(database) == ["tie"]


def test_a_server_that_fails_is_asked_again_and_the_rater_may_stop_that(database, desk):
    desk.route("**/submit/", lambda route: route.fulfill(status=500))
    desk.keyboard.press("4")
    desk.keyboard.press("d")
    desk.get_by_role("button", name="Stop, and go on here").click()
    desk.unroute("**/submit/")
    desk.wait_for_selector("#answer:not([inert])")
    desk.keyboard.press("8")
    wait_saved(desk)
    assert outcomes(database) == []
    submit(desk, "d")
    assert outcomes(database) == ["both_bad"]


def test_what_was_stopped_too_late_is_told_and_never_mixed_up(database, desk):
    def lose(route):
        route.fetch()
        route.abort()

    desk.route("**/submit/", lose)
    desk.keyboard.press("4")
    desk.keyboard.press("d")
    desk.get_by_role("button", name="Stop, and go on here").click()
    desk.unroute("**/submit/")
    desk.wait_for_selector("#answer:not([inert])")
    desk.keyboard.press("8")
    desk.keyboard.press("d")
    desk.locator("#alert", has_text="answered").wait_for()
    assert outcomes(database) == ["tie"]


def test_a_session_that_ended_goes_on_after_signing_in_elsewhere_also_for_a_skip(database, desk, site):
    desk.context.clear_cookies(name="sessionid")
    desk.keyboard.press("x")
    desk.keyboard.press("Enter")
    desk.locator("#alert", has_text="signed out").wait_for()
    tab = another(desk, f"{site.url}/login/")
    tab.fill("[name=username]", "bob")
    tab.fill("[name=password]", "bob-pass-phrase")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{site.url}/")
    site.session = next(c["value"] for c in tab.context.cookies() if c["name"] == "sessionid")
    old = desk.url
    tab.close()
    desk.wait_for_url(lambda url: url != old)
    assert [row["state"] for row in database.rows("assignment")] == ["skipped", "leased"]


# ---- Two tabs


def test_two_tabs_are_brought_together_without_a_word(database, desk):
    tab = ready(another(desk))
    desk.keyboard.press("1")
    wait_saved(desk)
    write(tab, "from the other")
    wait_state(tab, "saved on server")
    expect(chosen(tab)).to_have_value("left-3")
    wait_saved(tab)
    answer = draft_of(database)
    assert (answer["strength"], answer["rationale"]) == (3, "from the other")
    tab.close()


def test_where_two_tabs_differ_the_rater_chooses_and_nothing_is_dropped(database, desk):
    tab = ready(another(desk))
    desk.keyboard.press("1")
    wait_saved(desk)
    tab.keyboard.press("4")
    write(tab, "mine too")
    dialog = tab.locator("dialog.conflict")
    dialog.wait_for()
    assert dialog.locator("input:checked").count() == 0
    dialog.get_by_role("radio", name="Elsewhere").check()
    dialog.get_by_role("button", name="Bring together").click()
    wait_saved(tab)
    assert (draft_of(database)["strength"], draft_of(database)["rationale"]) == (3, "mine too")
    tab.close()


def test_a_stale_tab_cannot_submit_over_newer_work(database, desk):
    tab = ready(another(desk))
    tab.route("**/draft/", lambda route: route.abort())
    tab.keyboard.press("4")
    write(desk, "newer")
    wait_saved(desk)
    tab.keyboard.press("d")
    wait_state(tab, "look, then submit again")
    assert outcomes(database) == []
    submit(tab, "d")
    (row,) = database.rows("judgement")
    assert (row["outcome"], row["rationale"]) == ("tie", "newer")
    tab.close()


# ---- From one task to the next


def test_the_next_task_takes_the_place_of_this_one_and_nothing_leaks_into_it(database, desk):
    desk.evaluate("window.same = true")
    for key in ("1", "r", "4"):
        desk.keyboard.press(key)
    write(desk, "of the first task")
    submit(desk, "d")
    assert desk.evaluate("window.same")  # no load
    expect(desk.locator("#said")).to_contain_text("Next task.")
    assert desk.evaluate("document.activeElement.id") == "prompt"
    assert desk.locator("#answer input:checked, .mark, .omission").count() == 0
    assert desk.locator("[name=rationale]").input_value() == ""
    desk.keyboard.press("z")  # nothing to undo: its history is its own
    desk.keyboard.press("4")
    submit(desk, "d")
    first, second = database.rows("judgement")
    assert (first["outcome"], first["rationale"], second["outcome"], second["rationale"]) == (
        "ranking",
        "of the first task",
        "tie",
        "",
    )
    assert first["task_id"] != second["task_id"]
    assert second["ratings"] == {}


def test_the_page_of_the_next_task_is_the_one_that_a_load_would_bring(database, desk):
    for keys in (("4", "d"), ("x", "Enter")):
        for key in keys[:-1]:
            desk.keyboard.press(key)
        submit(desk, keys[-1])
    expect(desk.locator("#said")).to_contain_text("1 done today · under 10 still open")
    swapped = page_of(desk)
    desk.reload()
    ready(desk)
    assert page_of(desk) == swapped


def page_of(desk):
    """The data and the markup of the page, less what is new on each load."""
    data = json.loads(desk.locator("#judge-data").text_content())
    html = re.sub(r"<script.*?</script>|<p id=.s.*?</p>", "", desk.locator("main").inner_html(), flags=re.S)
    return data | {"key": ""}, re.sub(r'middlewaretoken" value="\w+|\s', "", html)


def test_keys_faster_than_the_network_answer_no_task_that_nobody_has_seen(database, desk):
    held = []
    desk.route("**/submit/", lambda route: held.append(route))
    for key in ("1", "d", "4", "d", "d", "7", "Control+Enter"):
        desk.keyboard.press(key)
    old = desk.url
    while not held:
        desk.wait_for_timeout(50)
    desk.wait_for_timeout(200)  # a second one would be there
    held[0].continue_()
    desk.wait_for_url(lambda url: url != old)
    expect(desk.locator("#said")).to_contain_text("did nothing")
    assert len(held) == 1
    assert chosen(desk).count() == 0
    (row,) = database.rows("judgement")
    assert (row["outcome"], row["strength"]) == ("ranking", 3)
    assert draft_of(database, 1) == {}


def test_a_key_held_down_submits_once(database, desk):
    desk.keyboard.press("4")
    old = desk.url
    for _ in range(5):
        desk.keyboard.down("d")  # the first is a press, the others repeat it
    desk.wait_for_url(lambda url: url != old)
    ready(desk)
    desk.keyboard.down("d")
    desk.keyboard.up("d")
    desk.wait_for_timeout(300)
    assert outcomes(database) == ["tie"]
    assert desk.locator("[data-error]:not(:empty)").count() == 0


def test_back_leads_to_the_answer_and_a_change_is_a_new_revision(database, desk):
    desk.keyboard.press("4")
    first = desk.url
    submit(desk, "d")
    desk.go_back()
    desk.wait_for_url(first)
    desk.get_by_role("heading", name="Change your answer").wait_for(state="attached")
    ready(desk)
    desk.keyboard.press("8")
    submit(desk, "d")
    assert [(row["outcome"], row["revision"]) for row in database.rows("judgement")] == [("tie", 1), ("both_bad", 2)]


def test_a_skip_is_taken_back_by_a_key(database, desk):
    first = desk.url
    desk.keyboard.press("x")
    desk.keyboard.press("Enter")
    desk.wait_for_url(lambda url: url != first)
    ready(desk)
    desk.keyboard.press("Shift+X")
    desk.wait_for_url(first)
    assert database.rows("assignment")[0]["state"] == "leased"


# ---- Undo


def test_every_kind_of_edit_is_undone_and_done_again(database, desk):
    for key in ("4", "r", "3", "Shift+C", "s", "ArrowRight", "1", "Escape"):
        desk.keyboard.press(key)
    write(desk, "words")
    empty = {"verdict": 0, "ratings": 0, "checked": 0, "marks": 0, "words": ""}
    full = {"verdict": 1, "ratings": 1, "checked": 1, "marks": 1, "words": "words"}
    assert state(desk) == full
    undone = []
    for _ in range(5):
        desk.keyboard.press("Control+z")
        undone.append(desk.locator("#said").text_content())
    assert undone == [f"Undone: {what}." for what in ("rationale", "mark", "nothing to mark", "rating", "verdict")]
    assert state(desk) == empty
    for _ in range(5):
        desk.keyboard.press("Control+Shift+z")
    assert state(desk) == full
    wait_saved(desk)
    assert draft_of(database)["rationale"] == "words"


def state(page):
    count = lambda name: page.locator(name).count()  # noqa: E731
    return {
        "verdict": chosen(page).count(),
        "ratings": count(".rubric input:checked"),
        "checked": count("[data-checked]:checked"),
        "marks": count(".mark"),
        "words": page.locator("[name=rationale]").input_value(),
    }


# ---- Time


def test_time_counts_work_once_and_pauses_and_other_windows_never(database, desk):
    desk.clock.install()
    desk.reload()
    ready(desk)
    desk.keyboard.press("4")
    for _ in range(3):
        desk.clock.run_for(10000)
        desk.keyboard.press("p")
    desk.clock.run_for(600000)  # a coffee
    desk.keyboard.press("p")
    desk.evaluate("dispatchEvent(new Event('blur'))")
    desk.clock.run_for(20000)
    desk.evaluate("dispatchEvent(new Event('focus'))")
    desk.keyboard.press("8")
    desk.clock.run_for(2000)
    wait_saved(desk)
    ms = database.rows("assignment")[0]["draft"]["active_ms"]
    assert 30000 <= ms < 60000  # the clock runs on between the steps, too
    desk.reload()
    ready(desk)
    desk.clock.run_for(1000)
    desk.keyboard.press("d")
    expect_rows(database, desk, ["both_bad"])
    assert ms <= database.rows("judgement")[0]["active_ms"] < ms + 30000
