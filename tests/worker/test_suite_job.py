"""Versions on a suite, by the real job: each by the score it gives, its transforms included."""

import pytest

from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from tests.worker.model import scoring_version
from tests.worker.test_suite import REWARD_BENCH, SECOND
from worker.models import Job, SuiteAnswerScore, SuiteScore, Summary
from worker.services.job import HERE, launch, run_now
from worker.services.standing import leaderboard, measure, measure_each
from worker.services.suite import import_suite
from worker.services.transform import transform_version


@pytest.fixture
def suite(project):
    return import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")


@pytest.fixture
def version(project):
    return scoring_version(project)


def margins(suite, *versions):
    job = run_now(measure(suite=suite, versions=versions, queue=HERE))
    assert job.state == "done", job.error
    rows = SuiteScore.objects.filter(version=versions[0]).order_by("pair")
    return [chosen - rejected for chosen, rejected in rows.values_list("chosen", "rejected")]


def test_a_clip_that_makes_all_equal_is_as_good_as_a_coin(version, suite):
    assert all(margins(suite, version))
    flat = transform_version(version=version, transforms=[{"name": "clip", "low": 1000.0}])
    assert margins(suite, flat) == [0.0] * len(REWARD_BENCH)
    standing = {row.version: row.accuracy.value for row in leaderboard(suite)}
    assert standing[flat] == 0.5


def test_a_scale_is_the_score_s_and_keeps_the_order(version, suite):
    raw = margins(suite, version)
    twice = transform_version(version=version, transforms=[{"name": "temperature", "value": 0.5}])
    assert margins(suite, twice) == pytest.approx([2 * one for one in raw], abs=1e-5)


def test_prompts_without_a_reference_are_compared_by_the_raw_score(version, suite):
    raw = margins(suite, version)
    import_items(project=version.project, file=jsonl({"prompt": "Why?", "responses": ["So."]}), format="jsonl")
    run_now(launch(project=version.project, kind="score", params={"version": version.pk}, queue=HERE))
    baseline = transform_version(version=version, transforms=[{"name": "baseline"}])
    assert margins(suite, baseline) == pytest.approx(raw, abs=1e-5)


def test_every_answer_of_a_question_is_scored_and_the_standing_kept(project, version):
    suite = import_suite(project=project, name="second", file=jsonl(*SECOND), format="reward-bench")
    job = run_now(measure(suite=suite, versions=[version], queue=HERE))
    assert (job.state, job.result["scored"], job.result["questions"]) == ("done", 10, 3), job.error
    assert SuiteAnswerScore.objects.filter(version=version).count() == 10
    kept = Summary.objects.get(version=version, name=f"suite {suite.pk}").values
    assert kept["cells"].keys() == {"Math", "Ties"}
    again = run_now(measure(suite=suite, versions=[version], queue=HERE))
    assert again.result["scored"] == 0
    assert SuiteAnswerScore.objects.count() == 10


def test_a_new_version_is_measured_on_every_suite_without_being_asked(project, version, suite):
    other = import_suite(project=project, name="second", file=jsonl(*SECOND), format="reward-bench")
    made = transform_version(version=version, transforms=[{"name": "temperature", "value": 2.0}])
    launched = Job.objects.filter(kind="evaluate").order_by("pk")
    assert [job.params for job in launched] == [{"suite": s.pk, "versions": [made.pk]} for s in (suite, other)]


def test_a_suite_can_be_left_out_of_what_every_new_version_is_measured_on(project, version, suite):
    other = import_suite(project=project, name="second", file=jsonl(*SECOND), format="reward-bench")
    measure_each(suite=other, on=False)
    transform_version(version=version, transforms=[{"name": "temperature", "value": 2.0}])
    assert [job.params["suite"] for job in Job.objects.filter(kind="evaluate")] == [suite.pk]
