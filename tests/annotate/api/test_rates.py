"""So many requests of a user; and none refused because the counters are lost."""

import pytest
from django.core.cache import cache

from annotate.api import rates
from annotate.api.rates import read_rate, spend
from annotate.services.access_token import create_machine_token
from tests.annotate.api.conftest import Api
from tests.annotate.api.test_auth import PROJECT, told

pytestmark = pytest.mark.django_db


def test_what_is_left_is_said_and_then_it_is_429(api, project, bob, settings):
    settings.API_RATE = "3/h"
    his = api(bob)
    left = [his.get(PROJECT).headers["RateLimit-Remaining"] for _ in range(3)]
    refused = his.get(PROJECT)
    assert (left, told(refused)[0]) == (["2", "1", "0"], 429)
    assert refused.headers["RateLimit-Limit"] == "3"
    assert 1 <= int(refused.headers["Retry-After"]) <= 3601
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]


def test_each_user_has_their_own_and_refusals_count(api, project, bob, charlie, settings):
    settings.API_RATE = "2/h"
    stranger, mine = api(charlie), api(bob)
    assert [stranger.get(PROJECT).status_code for _ in range(3)] == [404, 404, 429]
    assert mine.get(PROJECT).status_code == 200


def test_more_tokens_are_no_more_requests_and_a_model_is_another_user(api, project, alice, settings):
    settings.API_RATE = "2/h"
    assert [api(alice).get(PROJECT).status_code for _ in range(3)] == [200, 200, 429]
    models = [create_machine_token(project=project, name="gpt", actor=alice)[1] for _ in range(3)]
    assert [Api(secret).get(PROJECT).status_code for secret in models] == [200, 200, 429]


def test_a_refused_request_does_nothing(api, project, bob, settings):
    settings.API_RATE = "0/h"
    assert api(bob).post("/projects/answers/tasks/lease", headers={"Idempotency-Key": "a"}).status_code == 429
    assert not project.events.filter(kind="task.leased").exists()


def test_a_new_period_begins_with_all(settings):
    settings.API_RATE = "1/min"
    assert [spend(1, now=now).exceeded for now in (600.0, 659.0, 660.0)] == [False, True, False]
    assert (spend(2, now=659.5).seconds, spend(2, now=660.0).seconds) == (1, 61)


@pytest.mark.parametrize("text", ["", "600", "x/min", "-1/min", "600/day", "6 00/min"])
def test_a_rate_that_is_none_is_told(text):
    with pytest.raises(ValueError, match="API_RATE"):
        read_rate(text)


def test_a_lost_redis_refuses_nobody_and_is_not_asked_each_time(api, project, bob, settings, monkeypatch, caplog):
    asked = []

    def gone(*_):
        asked.append(1)
        raise ConnectionError("Redis is gone")

    his = api(bob)
    settings.API_RATE = "1/h"
    monkeypatch.setattr(cache, "add", gone)
    monkeypatch.setattr(rates, "_failed_at", -rates.AGAIN)
    assert [his.get(PROJECT).status_code for _ in range(3)] == [200, 200, 200]
    assert len(asked) == 1
    assert "Redis is gone" in caplog.text


def test_who_has_no_token_is_not_counted(project, settings):
    settings.API_RATE = "0/h"
    assert Api().get(PROJECT).status_code == 401
