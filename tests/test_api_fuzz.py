"""No request makes the API fail, and every answer is as its schema says: see tests/fuzz/api.py."""

import logging
import os
from itertools import product

import pytest
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tests.api_world import OPERATIONS
from tests.fuzz.api import HOW, Tally, everything, line, told
from tests.test_permissions import world  # noqa: F401

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 3))


@pytest.fixture
def _quiet(settings):
    settings.API_RATE = "1000000/s"
    cache.clear()
    logging.disable(logging.CRITICAL)
    for signal in (request_started, request_finished):  # as Django's own test client has it
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("_quiet")
def test_every_operation_answers_every_request(world, capsys, record_property):  # noqa: F811
    tally = Tally()
    wrong = everything(world, EXAMPLES, tally)
    record_property("fuzz", line(tally))
    with capsys.disabled():
        print("\n" + "\n".join(told(tally)))
    assert not wrong, "\n".join(wrong)
    reached = {(operation, kind) for operation, kind, _ in tally}
    labels = [f"{method} {path}" for method, path in OPERATIONS.values()]
    assert reached >= set(product(labels, set(HOW) - {"against the schema"}))  # some have nothing that can be broken
    assert not [status for *_, status in tally if status >= 500]
