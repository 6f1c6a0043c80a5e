"""Every text column of every model × every page: filled with hostile text, each page is made of the same elements and
attributes as when it is filled with harmless text; nothing runs, and nothing is asked of another machine."""

import pytest

from tests.e2e.hostile_rows import empty, fill, furnish_all
from tests.e2e.test_hostile import CORPUS, FOREIGN
from tests.hostile_words import CSS, HARMLESS, MARKDOWN, ODD, PLOTLY
from tests.test_hostile_text import pages
from tests.test_permissions import world  # noqa: F401

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
HOSTILE = [*CORPUS, *CSS, *PLOTLY, *ODD]
# Without what says that the page that lies ahead has come, for it may come later than we look.
SHAPE = """() => [...new Set([...document.querySelectorAll("*")].flatMap(e =>
  [e.localName, ...[...e.attributes].map(a => `${e.localName} ${a.name}`)]))]
  .filter(part => part !== "html data-ahead")"""


@pytest.fixture
def tab(page, live_server, client_of):
    """tab(user, name, path) opens a page and says what it is made of; `tab.seen` collects what must not happen."""
    seen, cookies, ours = [], {}, (live_server.url, live_server.url.replace("http", "ws"), "blob:", "data:")
    page.on("dialog", lambda dialog: (seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda said: said.type == "error" and seen.append(f"{page.url}: {said.text}"))
    page.on("request", lambda sent: sent.url.startswith(ours) or seen.append(f"asked for {sent.url}"))
    page.on("pageerror", lambda error: seen.append(f"{page.url}: {error}"))

    def go(user, name, path):
        if user:
            cookies[user.pk] = cookies.get(user.pk) or client_of(user).cookies["sessionid"].value
            cookie = {"name": "sessionid", "value": cookies[user.pk], "url": live_server.url}
            page.context.add_cookies([cookie])
        else:
            page.context.clear_cookies()
        response = page.goto(live_server.url + path, wait_until="load")
        assert response.status < 400, f"{name}: {response.status}"
        if page.locator(".chart[data-figure]").count():
            page.wait_for_selector(".chart[data-drawn]")
        if name == "annotate:schema":  # its preview comes by itself
            page.wait_for_selector("[data-ready]")
        if foreign := page.evaluate(FOREIGN):
            seen.append(f"{name}: {foreign}")
        return page.evaluate(SHAPE)

    go.seen, go.page = seen, page
    return go


def walk(tab, world):  # noqa: F811
    """What all pages are made of: {"element": name of a page}."""
    found = {}
    for name, path, signed in pages(world):
        found |= dict.fromkeys(tab(world.people["superuser"] if signed else None, name, path), name)
    return found


def test_hostile_text_builds_no_page(tab, world):  # noqa: F811
    furnish_all(world.here, world.people["superuser"])
    assert empty() == []
    fill(HARMLESS, MARKDOWN)
    usual = walk(tab, world)
    assert {"math", "table", "svg text", "a href"} - set(usual) == {"svg text"}
    fill(HOSTILE, "\n\n".join(HOSTILE))
    found = walk(tab, world)
    assert {part: name for part, name in found.items() if part not in usual} == {}
    assert tab.seen == []
