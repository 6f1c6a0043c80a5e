"""A short soak in every test run, each fault once; the long one is `python -m tests.soak --minutes N`."""

import os

import pytest

from tests.soak import clock, services
from tests.soak.faults import possible
from tests.soak.run import soak, stage

# The long form does these, too.
LONG = ("clock of the house an hour ahead", "clock of the database an hour back", "PostgreSQL restarted")


@pytest.mark.service
def test_whatever_breaks_nothing_is_lost_doubled_stuck_or_half_written():
    if why := services.missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    if os.environ.get("CI"):
        assert not clock.missing()
    with stage(webs=2, stale=2.5) as place:
        kinds = [kind for kind in possible(*place[-2:]) if kind not in LONG]
        done = soak(place, kinds, slug="soak", tasks=60, raters=8, pace=2)
    assert not done.faults, "\n".join(done.faults)
    assert {one.kind for one in done.incidents if one.seconds is not None} == set(kinds)
    assert done.trainings >= 1
