"""What a version keeps of its training: plain JSON, and a loss curve that a list of versions can carry."""

import math
from dataclasses import replace

from worker.jobs import train
from worker.models import Version
from worker.rm import training
from worker.services.job import HERE, run_now
from worker.services.training import start_training


def test_a_short_curve_is_kept_whole_and_a_long_one_by_means_over_stretches():
    assert train.thinned({"loss": [3.0, 2.0], "l2": 1})["loss"] == [3.0, 2.0]
    long = train.thinned({"loss": [float(n) for n in range(1000)]})["loss"]
    assert len(long) == train.POINTS
    assert long[:2] == [2.0, 7.0]  # of 0 … 4 and of 5 … 9
    assert train.thinned({})["loss"] == []


def test_a_number_that_could_not_be_measured_does_not_cost_the_training(judged, monkeypatch):
    def unmeasured(*parts, **more):
        found = training.fit(*parts, **more)
        return replace(found, info=found.info | {"step0_loss": math.nan})

    monkeypatch.setitem(train.TRAINERS, "heads", unmeasured)
    job = run_now(start_training(project=judged, queue=HERE))
    assert job.state == "done", job.error
    assert Version.objects.get().metrics["step0_loss"] is None
