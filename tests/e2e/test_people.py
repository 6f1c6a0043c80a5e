"""Alice invites, Dora comes in by the link, Alice lets her go: in a browser."""

import pytest

from annotate.models import Role

pytestmark = pytest.mark.e2e


def test_an_invite_from_its_making_to_the_end(page, live_server, project, alice):
    page.goto(f"{live_server.url}/p/answers/members/")
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "alice-pass-phrase")
    page.keyboard.press("Enter")
    page.select_option("form[action$='/invite/'] [name=role]", "reviewer")
    page.fill("[name=note]", "Dora")
    page.click("text=Make a link")
    link = page.input_value("#link")

    window = page.context.browser.new_context()
    dora = window.new_page()
    dora.goto(link)
    dora.fill("[name=username]", "dora")
    for name in ("password1", "password2"):
        dora.fill(f"[name={name}]", "stone-and-gold")
    dora.click("text=Make my account")
    assert dora.inner_text("h1") == "Answers"
    assert project.memberships.get(user__username="dora").role == Role.REVIEWER

    page.goto(f"{live_server.url}/p/answers/members/")
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.message) or dialog.accept())
    page.click("[aria-label='Remove dora']")
    page.wait_for_selector("text=dora is no longer in the project.")
    assert asked == ["Remove dora from the project? What they judged stays."]
    assert not project.memberships.filter(user__username="dora").exists()
    assert dora.goto(f"{live_server.url}/p/answers/").status == 404
    window.close()


def test_guidelines_are_previewed_before_they_are_saved(page, live_server, project, alice, client_of):
    cookie = client_of(alice).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.goto(f"{live_server.url}/p/answers/guidelines/edit/")
    page.fill("[name=guidelines]", "Be **kind**.")
    page.wait_for_selector("#preview strong:has-text('kind')")
    project.refresh_from_db()
    assert project.guidelines == ""
