"""Bob before a task, in a real browser against a real server; the database is read past the server."""

import json
import sqlite3

import pytest

from tests.site import Site

SEED = r"""
from annotate.models import User
from annotate.services.project import add_member, create_project
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
alice = User.objects.create_superuser("alice", password="alice-pass-phrase")
bob = User.objects.create_user("bob", password="bob-pass-phrase")
project = create_project(slug="answers", name="Answers", actor=alice, overlap=3, guidelines="Mark *less*.")
add_member(project=project, user=bob, role="annotator", actor=alice)
turns = [("user", "Hello."), ("assistant", "Good day."), ("user", "Where is the tower?")]
turns = [{"role": role, "content": content} for role, content in turns]
context = [{"title": "Atlas", "text": "The tower stands in Paris, on the Seine."}]
code = "```python\nprint('a very long line') # " + "x" * 300 + "\n```\n"
long = "The **tower** 🗼 is in *Rome*.\n\n- One `a < b`\n- Two $x^2$\n\n" + code + "More words. " * 200
for n in range(4):
    right = "The **tower** is in *Paris*."
    item = make_item(project, f"Tower {n}?", long + str(n), right, turns=turns, context=context)
    make_tasks(project=project, items=[item])
from django.test import Client
browser = Client()
browser.force_login(bob)
print(browser.cookies["sessionid"].value)
"""
SIZE = {"width": 1280, "height": 800}
RESET = """
DELETE FROM annotate_span; DELETE FROM annotate_judgement; DELETE FROM annotate_assignment;
UPDATE annotate_task SET open_slots = slots;
"""


class Database:
    """The server's own file, read past the server."""

    def __init__(self, site):
        self.connection = sqlite3.connect(site.folder / "touchstone.sqlite3", isolation_level=None)
        self.connection.row_factory = sqlite3.Row

    def rows(self, table):
        found = self.connection.execute(f"SELECT * FROM annotate_{table} ORDER BY id").fetchall()
        return [{name: self.value(name, row[name]) for name in row.keys()} for row in found]  # noqa: SIM118

    def value(self, name, value):
        return (
            json.loads(value)
            if name in ("shown_order", "ranking", "ratings", "checked", "omissions", "draft")
            else value
        )

    def text(self, response):
        return self.connection.execute("SELECT text FROM annotate_response WHERE id = ?", [response]).fetchone()[0]


@pytest.fixture(scope="package")
def site(tmp_path_factory):
    """One for all who judge; whoever shares it has a project of their own."""
    with Site(tmp_path_factory.mktemp("judging")) as site:
        site.session = site.run(SEED).strip()
        yield site


@pytest.fixture
def database(site):
    database = Database(site)
    database.connection.executescript(RESET)
    yield database
    database.connection.close()


@pytest.fixture(scope="module")
def window(site, chromium):
    """Bob's browser, signed in; one for all tests, so that it has the scripts at hand."""
    context = chromium.new_context(viewport=SIZE)
    context.add_cookies([{"name": "sessionid", "value": site.session, "url": site.url}])
    yield context
    context.close()


@pytest.fixture
def seat(site, window):
    """Bob's tab, the same for all tests unless one has closed it; any script error fails the test."""
    page, errors = window.pages[0] if window.pages else window.new_page(), []
    hear = lambda error: errors.append(str(error))  # noqa: E731
    page.on("pageerror", hear)
    yield page
    page.remove_listener("pageerror", hear)
    if not page.is_closed():
        leave(site, page)
    assert not errors


def leave(site, page):
    """To where no script runs, with the network, the window and the colours that it began with."""
    page.context.set_offline(False)
    page.unroute_all()
    page.set_viewport_size(SIZE)
    page.emulate_media(color_scheme="light")
    page.goto(f"{site.url}/static/css/text.css")
    forget(page)


def forget(page):
    """Nothing that this browser kept meets the next test."""
    session = page.context.new_cdp_session(page)
    kept = {"origin": page.evaluate("origin"), "storageTypes": "indexeddb,local_storage"}
    session.send("Storage.clearDataForOrigin", kept)
    session.detach()


@pytest.fixture
def desk(site, database, seat):
    """Bob with a task before him, and nothing left of earlier tests."""
    seat.goto(f"{site.url}/p/answers/judge/")
    return ready(seat)


def ready(page):
    page.wait_for_selector("html[data-ready]")
    return page


def wait_state(page, text):
    page.locator("#state", has_text=text).wait_for()


def wait_saved(page):
    wait_state(page, "saved on server")


def said(page):
    """What a screen reader was told last."""
    return page.locator("#said").text_content()


def submit(page, keys="Control+Enter"):
    old = page.url
    page.keyboard.press(keys)
    page.wait_for_url(lambda url: url != old)
    return ready(page)


def shown(page):
    """The response ids from left to right."""
    return [int(column.get_attribute("data-response")) for column in page.locator(".response").all()]


def mark_first_word(page, side="s", category="1"):
    page.keyboard.press(side)
    page.keyboard.press("ArrowRight")
    page.keyboard.press(category)
    page.keyboard.press("Escape")
