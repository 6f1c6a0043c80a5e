"""A site with a real worker, as the launcher starts it; each who shares it has a project of their own."""

import pytest

from tests.site import Site

SIGN_IN = """
from django.test import Client
browser = Client()
browser.force_login(alice)
print(browser.cookies["sessionid"].value)
"""


@pytest.fixture(scope="package")
def workshop(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("workshop")) as site:
        site.worker()
        yield site


def sign_in(page, site, session):
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": site.url}])
    return page
