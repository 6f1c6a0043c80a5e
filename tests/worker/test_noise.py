"""Rounding as a job: exactly the version's own scores, and those of its backbone in bfloat16."""

import numpy as np
import pytest
import torch

from annotate.models import Response
from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from tests.worker.model import model, scoring_version
from worker.jobs.dataset import example_of
from worker.jobs.noise import drawn
from worker.jobs.scored import scored
from worker.models import Job, Summary
from worker.rm.backbone import load
from worker.rm.precision import _hooked, precision
from worker.services.job import run_now
from worker.services.noise import NOISE, measure_noise, measuring, stop_measuring

ITEMS = [
    {"prompt": "Where?", "responses": ["Here. And there.", "There."]},
    {"prompt": "When?", "responses": ["Now. Or later.", "Never. I think so.", "Soon."]},
    {"prompt": "Who?", "responses": ["Nobody."]},
]


@pytest.fixture
def version(project):
    import_items(project=project, file=jsonl(*ITEMS), format="jsonl")
    return scoring_version(project)


def test_both_ways_are_kept_and_the_exact_one_is_the_versions_own(version):
    done = run_now(measure_noise(version=version, responses=100))
    assert (done.state, done.result["responses"], done.version) == ("done", 5, version)
    kept = Summary.objects.get(version=version, name=NOISE).values
    responses = list(Response.objects.exclude(text="Nobody.").select_related("item"))
    by_item = sorted(zip(kept["items"], kept["exact"], strict=True))
    values = scored(version, [example_of(one) for one in responses]).heads["preference"]
    own = sorted((r.item_id, v) for r, v in zip(responses, values.tolist(), strict=True))
    assert [x for _, x in by_item] == pytest.approx([x for _, x in own], abs=1e-5)
    moved = np.abs(np.subtract(kept["exact"], kept["rounded"]))
    assert 0 < done.result["largest"] == moved.max() < 0.5


def test_after_the_block_the_backbone_is_as_it_was():
    minilm = load("minilm")
    with precision(model(), bf16=True):
        assert len(minilm.model._forward_pre_hooks) == 1
        with pytest.raises(ValueError):
            minilm.model(nonsense=1)
        assert not torch.is_autocast_enabled("cpu")  # also after a forward that failed
    assert not minilm.model._forward_pre_hooks
    assert not minilm.model._forward_hooks


@pytest.mark.parametrize(("bf16", "found"), [(True, torch.bfloat16), (False, torch.float32)])
def test_what_a_network_asks_for_around_it_is_overruled(bf16, found):
    layer = torch.nn.Linear(4, 4)
    handles = _hooked(layer, "cpu", bf16)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not bf16):
        assert layer(torch.ones(1, 4)).dtype == found
    assert len(handles) == 2


def test_whole_items_and_no_more_than_asked(version):
    texts = lambda most: [one.text for one in drawn(Job(project=version.project, params={"responses": most}))]  # noqa: E731
    assert len(texts(100)) == 5
    assert len(texts(4)) in (2, 3)
    assert len(texts(2)) == 2
    assert "Nobody." not in texts(100)


def test_nothing_to_score_is_said(version):
    Response.objects.filter(index__gte=1).delete()
    done = run_now(measure_noise(version=version, responses=100))
    assert done.state == "failed"
    assert "no response to score" in done.error


def test_one_job_at_a_time_which_can_be_stopped(version):
    job = measure_noise(version=version, responses=100)
    assert measure_noise(version=version, responses=500) == measuring(version) == job
    assert stop_measuring(version=version).state == "cancelled"
    assert stop_measuring(version=version) is None
