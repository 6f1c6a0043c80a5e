"""A real browser; where there is none the tests skip with a reason, except in CI."""

import os

import pytest

from tests.browser import FLAGS, find
from tests.e2e.desk_page import database, desk, forget, seat, site, window  # noqa: F401
from tests.e2e.span_page import show, tab  # noqa: F401
from tests.e2e.workshop import workshop  # noqa: F401


@pytest.fixture(scope="package")
def chromium():
    """Ends with this folder's tests: Playwright's event loop, left running, breaks every asyncio test after it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # as long as all else is waited for
    path = find()
    if not path:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Chromium: python -m tests.browser says how")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def visitors(chromium):
    """The window of `page`: one for all tests, so that it has scripts and charts at hand; a tab of it stays open."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.new_page()
    yield context
    context.close()


@pytest.fixture
def page(visitors):
    """A fresh tab, 1280 wide, of a window that nobody has used; any script error on the page fails the test."""
    page, errors = visitors.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.clear_cookies()
    page.context.clear_permissions()
    forget(page)
    page.close()
    assert not errors
