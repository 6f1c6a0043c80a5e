"""Whatever is sent, as a file, a form or a frame: it is refused or taken whole, and nothing fails. See tests/fuzz."""

import logging
import os

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.test import Client

from tests.fuzz.files import DAMAGES, damaged, files
from tests.fuzz.forms import SENT, forms
from tests.fuzz.sockets import FRAMES, OPENED, sockets
from tests.fuzz.tally import Tried, taken
from tests.test_permissions import world  # noqa: F401
from worker.services.claim import claim
from worker.services.job import launch

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 1))


@pytest.fixture(autouse=True)
def _quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def kept(record_property):
    """Holds a kind to its promise: all that may be sent was sent, some of it taken and some not, and nothing failed."""

    def keep(tried: Tried, whats: set[str]) -> None:
        line = tried.line()
        record_property("fuzz", line)
        assert not tried.wrong, "\n".join(tried.wrong[:20])
        assert set(line["of"]) == set(whats)
        assert line["refused"]
        assert line["accepted"]

    return keep


def test_a_damaged_file_is_refused_in_a_sentence_or_imported_whole(project, kept):
    kept(files(project, EXAMPLES), set(DAMAGES))


def test_no_form_is_an_error_of_the_server(world, kept):  # noqa: F811
    kept(forms(world, EXAMPLES), set(SENT))


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_no_frame_and_no_address_breaks_a_socket(project, alice, kept):
    job = await database_sync_to_async(
        lambda: claim(launch(project=project, kind="train", params={}, queue="here").pk)
    )()
    browser = Client()
    await browser.aforce_login(alice)
    kept(await sockets(job, browser.cookies[settings.SESSION_COOKIE_NAME].value, 8 * EXAMPLES), {*FRAMES, *OPENED})


def test_the_same_seed_makes_the_same_file():
    assert damaged("cut short", "trl", 1) == damaged("cut short", "trl", 1) != damaged("cut short", "trl", 2)


def test_what_fails_is_told():
    tried = Tried("forms")
    for status in (200, 302, 404, 500):
        tried.add("odd values", taken(status), f"answered {status}")
    counts = {"tried": 4, "refused": 1, "accepted": 2, "server_errors": 1}
    assert tried.line() == {"kind": "forms", **counts, "of": {"odd values": counts}}
    assert tried.wrong == ["forms, odd values: answered 500"]
