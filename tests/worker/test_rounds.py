"""Rounds: what they wait for, what they do step by step, and that nothing happens twice. No torch here."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotate.models import Judgement, Response
from annotate.services.item import import_items
from annotate.services.project import create_project
from tests.inspector.making import score
from tests.worker.conftest import PROMPTS, jsonl, row
from worker.models import Job, Round, RoundPolicy, Snapshot, SuiteScore, Version
from worker.models.round import RoundState
from worker.models.version import VersionState
from worker.services import rounds
from worker.services.job import launch
from worker.services.snapshot import freeze
from worker.services.suite import freeze_held_out
from worker.services.version import promote
from worker.services.waiting import waiting

ABOUT = {
    "backbone": "minilm",
    "encode_hash": "e" * 64,
    "heads": ["preference"],
    "file": "none",
    "file_sha256": "f" * 64,
}
DEFAULT = {"name": "heads"}


@pytest.fixture
def policy(judged):
    suite = freeze_held_out(project=judged, name="core")
    fields = {"enabled": True, "after_judgements": 5, "suite": suite}
    rounds.set_policy(project=judged, **fields)
    return RoundPolicy.objects.select_related("project", "suite").get()


def trained(project, job=None, recipe=DEFAULT):
    """A version of the judgements as they are now, as a training would leave it."""
    last = project.versions.first()
    version = Version.objects.create(
        project=project, number=last.number + 1 if last else 1, recipe=recipe, snapshot=freeze(project=project),
        trained_by=job, **ABOUT,
    )  # fmt: skip
    if job:
        Job.objects.filter(pk=job.pk).update(state="done", version=version)
    return version


def more(project, numbers):
    import_items(project=project, file=jsonl(*map(row, numbers)), format="jsonl")


def measured(one, new, old=None):
    """The measuring job is done; `new` and `old` are the shares of pairs, from the front, that each has right."""
    one.refresh_from_db()
    pairs = list(one.project.round_policy.suite.pairs.order_by("pk"))
    for version, share in ((one.version, new), (one.against, old)):
        if version:
            SuiteScore.objects.bulk_create(
                SuiteScore(version=version, pair=pair, chosen=float(n < share * len(pairs)), rejected=0.5)
                for n, pair in enumerate(pairs)
            )
    Job.objects.filter(pk=rounds.measuring(one).pk).update(state="done")


def test_new_judgements_start_a_round_and_only_one(policy, judged):
    trained(judged)
    assert (waiting(policy).new, waiting(policy).due) == (0, "")
    more(judged, range(PROMPTS + 1, PROMPTS + 5))
    assert (waiting(policy).new, waiting(policy).due) == (4, "")
    more(judged, range(PROMPTS + 5, PROMPTS + 7))
    assert waiting(policy).due == "judgements"
    assert rounds.tick()["started"] == 1
    assert rounds.tick()["started"] == 0
    one = Round.objects.get()
    assert (one.number, one.reason, one.job.kind) == (1, "judgements", "train")
    assert one.job.params["snapshot"] == Snapshot.objects.latest("pk").pk


def test_nothing_starts_while_it_is_off_or_has_no_suite(policy, judged):
    assert waiting(policy).due == "judgements"
    policy.suite_id = None
    assert "no frozen suite" in waiting(policy).problem
    policy.enabled = False
    assert "off" in waiting(policy).problem
    assert waiting(policy).due == ""


def test_nothing_starts_while_a_training_runs(policy, judged):
    launch(project=judged, kind="train", params={})
    assert waiting(policy).due == ""
    with pytest.raises(ValidationError, match="under way"):
        rounds.start(project=judged, reason="asked")


def test_the_schedule_waits_for_its_hour_and_for_new_data(policy, judged):
    version = trained(judged)
    policy.after_judgements, policy.every_hours = None, 24
    more(judged, [PROMPTS + 1])
    assert waiting(policy).due == ""
    Version.objects.filter(pk=version.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert waiting(policy).due == "schedule"
    Judgement.objects.filter(created_at__gt=version.snapshot.created_at).delete()
    assert waiting(policy).due == ""


def test_the_same_data_by_the_same_recipe_is_refused(policy, judged):
    trained(judged)
    with pytest.raises(ValidationError, match="Version 1 was made from the same judgements"):
        rounds.start(project=judged, reason="asked")
    assert not Job.objects.exists()
    rounds.set_policy(project=judged, recipe={"name": "lora"})
    assert rounds.start(project=judged, reason="asked").number == 1


def test_too_little_to_learn_from_is_said(project):
    with pytest.raises(ValidationError, match="At least 8 decided"):
        rounds.start(project=project, reason="asked")


def test_drift_on_prompts_it_never_saw_starts_a_round(policy, judged):
    policy.after_judgements, policy.on_drift = None, True
    version = trained(judged)
    promote(version=version)
    right = {r: float("museum" in r.text) for r in Response.objects.all()}
    more(judged, range(PROMPTS, PROMPTS + 25))
    new = {r: -float("museum" in r.text) for r in Response.objects.exclude(pk__in=[r.pk for r in right])}
    assert "0 of 20 prompts" in waiting(policy).drift.why  # it has scored none of them yet
    score(version, right | new)
    found = waiting(policy)
    assert found.drift.high < 0
    assert found.due == "drift"


def test_a_round_trains_measures_and_promotes(policy, judged):
    old = trained(judged)
    promote(version=old)
    more(judged, range(PROMPTS, PROMPTS + 60))
    policy.suite = freeze_held_out(project=judged, name="more")
    policy.save()
    one = rounds.start(project=judged, reason="asked")
    assert not rounds.advance(one)  # its job is not done
    new = trained(judged, one.job)
    assert rounds.advance(one)
    one.refresh_from_db()
    assert (one.state, one.version, one.against) == (RoundState.MEASURING, new, old)
    assert rounds.measuring(one).params["versions"] == [new.pk, old.pk]
    assert not rounds.advance(one)
    measured(one, 1.0, 0.5)
    assert rounds.advance(one)
    one.refresh_from_db()
    assert one.state == RoundState.PROMOTED
    assert "Version 2 is right on 100.0 %" in one.words
    assert "Promoted: the whole interval lies above 0, and p is at most .05." in one.words
    assert one.comparison["difference"]["low"] > 0
    assert judged.versions.get(state=VersionState.PROMOTED) == new
    assert not rounds.advance(one)


def test_what_is_not_better_is_kept_with_its_numbers(policy, judged):
    promote(version=trained(judged))
    more(judged, [PROMPTS + 1])
    one = rounds.start(project=judged, reason="asked")
    trained(judged, one.job)
    rounds.advance(one)
    measured(one, 0.6, 0.5)
    rounds.advance(one)
    one.refresh_from_db()
    assert one.state == RoundState.KEPT
    assert "Not promoted: the interval holds 0." in one.words
    assert judged.versions.get(state=VersionState.PROMOTED).number == 1


def test_the_first_version_must_beat_a_coin(policy, judged):
    one = rounds.start(project=judged, reason="asked")
    trained(judged, one.job)
    rounds.advance(one)
    measured(one, 1.0)
    rounds.advance(one)
    one.refresh_from_db()
    assert "a coin (no version is in use) on 50.0 %" in one.words
    assert one.state == RoundState.PROMOTED


def test_a_person_who_promotes_meanwhile_is_measured_against(policy, judged):
    promote(version=trained(judged))
    more(judged, [PROMPTS + 1])
    one = rounds.start(project=judged, reason="asked")
    trained(judged, one.job)
    rounds.advance(one)
    another = trained(judged)
    promote(version=another)
    measured(one, 1.0, 0.0)
    rounds.advance(one)
    one.refresh_from_db()
    assert (one.state, one.against) == (RoundState.MEASURING, another)


@pytest.mark.parametrize(
    ("state", "words"), [("failed", "Training failed: no space left"), ("cancelled", "Training was cancelled.")]
)
def test_a_failed_round_says_why_and_is_not_repeated_by_itself(policy, judged, state, words):
    one = rounds.start(project=judged, reason="judgements")
    Job.objects.filter(pk=one.job.pk).update(state=state, error="no space left" if state == "failed" else "")
    assert rounds.tick() == {"moved": 1, "started": 0}
    one.refresh_from_db()
    assert (one.state, one.words) == (RoundState.FAILED, words)
    assert rounds.tick() == {"moved": 0, "started": 0}
    assert rounds.start(project=judged, reason="asked").number == 2  # a person may try again


def test_without_a_suite_a_person_decides(judged):
    one = rounds.start(project=judged, reason="asked")
    trained(judged, one.job)
    rounds.advance(one)
    one.refresh_from_db()
    assert (one.state, "no frozen suite" in one.words) == (RoundState.KEPT, True)


def test_pairs_that_are_trained_on_decide_nothing(policy, judged):
    judged.items.filter(turns__icontains="town 0?").update(split="train")
    policy.suite.pairs.update(prompt_sha256=judged.items.get(turns__icontains="town 0?").prompt_sha256)
    one = rounds.start(project=judged, reason="asked")
    trained(judged, one.job)
    rounds.advance(one)
    measured(one, 1.0)
    rounds.advance(one)
    one.refresh_from_db()
    assert "no pair of the suite is left" in one.words
    assert one.comparison["left_out"] == policy.suite.pairs.count()


def test_a_warm_start_names_the_promoted_version(policy, judged):
    promote(version=trained(judged, recipe={"name": "lora"}))
    rounds.set_policy(project=judged, warm=True)
    more(judged, [PROMPTS + 1])
    params = rounds.start(project=judged, reason="asked").job.params
    assert params["warm"] == judged.versions.get().pk
    assert params["recipe"]["name"] == "lora"


def test_adapters_of_another_rank_are_trained_afresh(policy, judged):
    promote(version=trained(judged, recipe={"name": "lora"}))
    rounds.set_policy(project=judged, warm=True, recipe={"name": "lora", "tuning": {"lora_rank": 8}})
    assert "warm" not in rounds.start(project=judged, reason="asked").job.params


def test_heads_cannot_begin_from_weights(policy, judged):
    promote(version=trained(judged))
    rounds.set_policy(project=judged, warm=True, recipe={"name": "lora"})
    more(judged, [PROMPTS + 1])
    assert "warm" not in rounds.start(project=judged, reason="asked").job.params


def test_a_recipe_that_is_no_recipe_is_refused(policy, judged):
    rounds.set_policy(project=judged, recipe={"name": "magic"})
    with pytest.raises(ValidationError, match="recipe cannot be used"):
        rounds.start(project=judged, reason="asked")
    assert not Job.objects.exists()


def test_of_two_workers_that_find_it_due_one_starts_it(policy, judged, monkeypatch):
    survey, first = rounds.survey, []

    def slow(project):
        found = survey(project)
        if not first:
            first.append(found)
            assert rounds.start(project=project, reason="judgements")  # the other worker, meanwhile
        return found

    monkeypatch.setattr(rounds, "survey", slow)
    with pytest.raises(ValidationError, match="round 1 is under way"):
        rounds.start(project=judged, reason="judgements")
    assert Round.objects.count() == Job.objects.count() == 1


def test_a_project_where_something_goes_wrong_does_not_stop_the_others(policy, judged, alice, monkeypatch):
    broken = create_project(slug="broken", name="Broken", actor=alice)
    rounds.set_policy(project=broken, enabled=True, suite=policy.suite, every_hours=1)

    def due(one, waiting=rounds.waiting):
        return waiting(one) if one.project == judged else 1 / 0

    monkeypatch.setattr(rounds, "waiting", due)
    assert rounds.tick() == {"moved": 0, "started": 1}
