"""Probes as a job: the version's own scores of changed texts, in one transaction, and again in place of the old."""

import pytest

from annotate.models import Response
from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from tests.worker.model import scoring_version
from worker.jobs.scored import scored
from worker.models import Probe
from worker.rm.types import Example
from worker.services.job import run_now
from worker.services.probe import probe, probing, stop_probing
from worker.swaps import SWAPS

ITEMS = [
    {"prompt": "Where?", "responses": ["**Here.** And there.", "There."]},
    {"prompt": "When?", "responses": ["Now. Or later.", "Never. I think so."]},
    {"prompt": "Who?", "responses": ["Nobody."]},
]


@pytest.fixture
def version(project):
    import_items(project=project, file=jsonl(*ITEMS), format="jsonl")
    return scoring_version(project)


def test_the_rows_are_the_scores_of_the_changed_texts(version):
    done = run_now(probe(version=version, prompts=50))
    assert (done.state, done.result["responses"]) == ("done", 4)
    row = Probe.objects.get(swap="plain")
    item, text = row.response.item, row.response.text
    turns = (("user", "Where?"),)
    own, changed = (Example("x", item.prompt_sha256, turns, one) for one in (text, SWAPS["plain"].change(text)))
    values = scored(version, [own, changed]).heads["preference"].tolist()
    assert [row.before, row.after] == pytest.approx(values, abs=1e-5)


def test_what_a_swap_does_not_change_is_not_probed(version):
    run_now(probe(version=version, prompts=50))
    counted = {name: version.probes.filter(swap=name).count() for name in ("same", *SWAPS)}
    assert counted == {"same": 4, "plain": 1, "shorter": 3, "praise": 4, "padding": 4}


def test_so_many_prompts_and_new_probes_in_place_of_the_old(version):
    run_now(probe(version=version, prompts=50))
    assert run_now(probe(version=version, prompts=1)).result["responses"] == 2
    assert version.probes.filter(swap="same").count() == 2


def test_nothing_to_probe_is_said(version):
    Response.objects.filter(index=1).delete()
    done = run_now(probe(version=version, prompts=5))
    assert done.state == "failed"
    assert "no response to probe" in done.error


def test_one_job_at_a_time_which_can_be_stopped(version):
    job = probe(version=version, prompts=5)
    assert probe(version=version, prompts=9) == probing(version) == job
    assert stop_probing(version=version).state == "cancelled"
    assert stop_probing(version=version) is None
    assert not Probe.objects.exists()
