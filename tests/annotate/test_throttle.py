"""Waits that grow and end, counted in the database."""

from datetime import UTC, datetime, timedelta

import pytest

from annotate.models import Throttle
from annotate.services import throttle
from annotate.services.throttle import LONGEST, TooMany, charge, forget_old, give_back, wait_after

pytestmark = pytest.mark.django_db
FREE = {"bob from here": 3, "from here": 5}


@pytest.fixture
def clock(monkeypatch):
    """clock(seconds) moves the time on."""

    class Clock:
        at = datetime(2026, 1, 1, tzinfo=UTC)

        def now(self):
            return self.at

        def __call__(self, seconds):
            self.at += timedelta(seconds=seconds)

    monkeypatch.setattr(throttle, "timezone", clock := Clock())
    return clock


def waits(free=FREE):
    """Seconds to wait now; 0 if the guess was let through, and counted."""
    try:
        charge(free=free)
    except TooMany as too_many:
        return too_many.seconds
    return 0


def test_waits_double_up_to_a_quarter_of_an_hour():
    assert [wait_after(n, 3) for n in (0, 2, 3, 4, 5, 12, 13, 99, 10**6)] == [
        0,
        0,
        1,
        2,
        4,
        512,
        LONGEST,
        LONGEST,
        LONGEST,
    ]


def test_some_guesses_are_free_then_each_waits_longer(clock):
    assert [waits() for _ in range(4)] == [0, 0, 0, 1]
    clock(1)
    assert [waits(), waits()] == [0, 2]
    clock(2)
    assert [waits(), waits()] == [0, 4]


def test_asking_too_early_makes_nothing_worse(clock):
    for _ in range(50):
        waits()
    assert waits() == 1


def test_a_day_without_a_guess_and_counting_starts_anew(clock):
    for _ in range(40):
        clock(LONGEST)
        waits()
    clock(24 * 3600 + 1)
    assert [waits() for _ in range(4)] == [0, 0, 0, 1]


def test_the_widest_name_counts_guesses_at_anybody(clock):
    assert [waits({f"{n} from here": 3, "from here": 5}) for n in range(6)] == [0, 0, 0, 0, 0, 1]


def test_a_right_guess_is_given_back_and_frees_the_narrow_name_alone(clock):
    for _ in range(2):
        charge(free=FREE)
    give_back(names=FREE, charged=charge(free=FREE))
    assert sorted(Throttle.objects.values_list("failures", flat=True)) == [0, 2]
    assert waits() == 0


def test_a_right_guess_does_not_end_the_wait_that_another_has_earned(clock):
    """Else whoever has an account of their own could guess at others' for ever, signing in in between."""
    charged = charge(free={"own": 9, "from here": 1})
    with pytest.raises(TooMany):
        charge(free={"bob": 9, "from here": 1})
    clock(1)
    charge(free={"bob": 9, "from here": 1})
    give_back(names={"own": 9, "from here": 1}, charged=charged)
    assert waits({"bob": 9, "from here": 1}) == 2


def test_what_counts_no_more_is_removed(clock):
    waits({"old": 1})
    clock(24 * 3600 + 1)
    waits({"new": 1})
    assert forget_old() == 1
    assert Throttle.objects.count() == 1


def test_no_name_is_kept_that_can_be_read(clock):
    """People type their password into the field of the name."""
    charge(free={"password hunter2 from 198.51.100.1": 5})
    assert len(Throttle.objects.get().key) == 64
