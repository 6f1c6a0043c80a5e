"""The timetable goes on whatever happens to the clock."""

from datetime import timedelta

import pytest
from celery import Celery

from config.beat import Steady


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_was_set_does_not_stop_the_timetable(tmp_path, monkeypatch, hours):
    app = Celery("timetable", set_as_current=False)
    app.conf.beat_schedule = {"reap": {"task": "worker.reap", "schedule": 5.0}}
    steady, sent, real = Steady(app=app, schedule_filename=str(tmp_path / "beat")), [], Celery.now
    monkeypatch.setattr(steady, "apply_entry", lambda entry, producer=None: sent.append(entry.task))
    steady.tick()
    sent[:] = ["before"]
    monkeypatch.setattr(Celery, "now", lambda app: real(app) + timedelta(hours=hours))
    assert steady.tick() <= 5
    monkeypatch.setattr(Celery, "now", lambda app: real(app) + timedelta(hours=hours, seconds=6))
    steady.tick()
    assert "worker.reap" in sent[1:]
    steady.close()
