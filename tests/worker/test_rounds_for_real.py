"""Judgements arrive → a round starts → a version → the suite → promoted or kept; then the tasks are ordered by it.

With the real jobs and backbone, no broker: what the beat would say is said by hand.
"""

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Item
from annotate.services.item import import_items
from annotate.services.judgement import submit_judgement
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
from tests.worker.conftest import PROMPTS, jsonl, row
from tests.worker.rm import tiny
from tests.worker.test_loop import told
from tests.worker.test_suite import REWARD_BENCH
from worker.models import Job, SelectionPolicy, SuiteScore
from worker.models.round import RoundState
from worker.models.version import VersionState
from worker.rm import checkpoint
from worker.services import rounds, selection
from worker.services.affected import weights_from
from worker.services.job import run_now
from worker.services.standing import leaderboard
from worker.services.suite import freeze_held_out
from worker.services.version import promote
from worker.tasks import rounds as beat

pytestmark = pytest.mark.django_db(transaction=True)  # the heart of a job looks at it by another connection


@pytest.fixture
def running(judged, tmp_path_factory, settings):
    """A project that retrains after 20 new judgements."""
    settings.CACHE_DIR = tmp_path_factory.getbasetemp() / "embeddings"
    import_items(project=judged, file=jsonl(*map(row, range(PROMPTS, 2 * PROMPTS))), format="jsonl")
    suite = freeze_held_out(project=judged, name="core")
    rounds.set_policy(project=judged, enabled=True, after_judgements=20, suite=suite)
    return judged


def work(project):
    """What the beat and the workers do until nothing is left."""
    for _ in range(8):
        beat()
        for job in project.jobs.unfinished().order_by("pk"):
            ended = run_now(job)
            assert ended.state == "done", ended.error


def test_judgements_become_a_version_in_use(running):
    work(running)
    one = running.rounds.get()
    assert (one.state, one.reason, one.against) == (RoundState.PROMOTED, "judgements", None), one.words
    assert running.versions.get(state=VersionState.PROMOTED) == one.version
    suite = running.round_policy.suite
    assert SuiteScore.objects.filter(version=one.version).count() == suite.pairs.count()
    assert leaderboard(suite)[0].accuracy.value > 0.9
    import_items(project=running, file=jsonl(*map(row, range(2 * PROMPTS, 2 * PROMPTS + 20))), format="jsonl")
    work(running)
    second = running.rounds.get(number=2)
    assert (second.state, second.against, second.version.number) == (RoundState.KEPT, one.version, 2), second.words
    assert "Not promoted: the interval holds 0." in second.words
    assert running.versions.get(state=VersionState.PROMOTED) == one.version


def test_a_round_begins_from_the_weights_in_use_or_afresh(running, tmp_path, settings):
    llama = str(tiny.llama(tmp_path / "llama", ["Where is the museum? Beside the river. Bananas"]))
    begun = {}
    for number, (warm, rate) in enumerate([(False, 1e-3), (True, 1e-12), (False, 1e-12)], 1):
        recipe = {"name": "full", "tuning": {"learning_rate": rate}}
        rounds.set_policy(project=running, warm=warm, recipe=recipe, backbone=llama, rule="never")
        import_items(project=running, file=jsonl(*map(row, range(100 * number, 100 * number + 20))), format="jsonl")
        work(running)
        one = running.rounds.get(number=number)
        assert (one.reason, one.state) == ("judgements", RoundState.KEPT), one.words
        begun[number] = checkpoint.load(settings.ARTIFACT_DIR / one.version.file).tensors["heads.preference.weight"]
        if number == 1:
            promote(version=one.version)
    assert begun[2] == pytest.approx(begun[1], abs=1e-6)
    assert begun[3] != pytest.approx(begun[1], abs=1e-3)
    first, second, third = running.versions.order_by("number")
    assert (weights_from(second), weights_from(third)) == ([first.pk], [])
    assert running.rounds.get(number=2).against == first


@pytest.mark.parametrize("strategy", ["margin", "disagreement", "information", "random"])
def test_tasks_are_ordered_by_the_version_and_keep_their_probability(running, bob, strategy):
    rounds.set_policy(project=running, recipe={"name": "heads", "extras": {"members": 3}})
    work(running)
    items = [
        make_item(running, f"Where is the library of town {n}?", f"It stands in {n}.", "I like it.") for n in range(30)
    ]
    make_tasks(project=running, items=items)
    running.tasks.exclude(item__in=items).update(open_slots=0)
    selection.set_policy(project=running, strategy=strategy, random_share=0.25, batch=8)
    job = run_now(selection.order(policy=SelectionPolicy.objects.get()))
    assert job.state == "done", job.error
    front = selection.in_front(running)
    lots = 8 if strategy == "random" else 2
    assert (job.result["waiting"], job.result["in_front"], job.result["by_lot"]) == (30, 8, lots)
    assert front.filter(reason="random").count() == lots
    assert all(lots / 30 - 1e-9 <= task.probability <= 1 for task in front)
    lease = lease_next(project=running, user=bob)
    assert lease.task in front
    said = _answer(lease, bob)
    assert said.probability == lease.task.probability
    assert said.served == f"{lease.task.reason}, priority"


def test_held_out_prompts_take_their_part_by_lot_alone(running):
    work(running)
    items = [make_item(running, f"Where is the mill of town {n}?", f"It stands in {n}.", "No.") for n in range(40)]
    Item.objects.filter(pk__in=[item.pk for item in items[:10]]).update(split="test")
    make_tasks(project=running, items=items)
    running.tasks.exclude(item__in=items).update(open_slots=0)
    selection.set_policy(project=running, strategy="margin", random_share=0.2, batch=20)
    run_now(selection.order(policy=SelectionPolicy.objects.get()))
    held = selection.in_front(running).filter(item__split="test")
    assert set(held.values_list("reason", "probability")) == {("random", 0.5)}
    assert (held.count(), selection.in_front(running).filter(reason="random").count()) == (5, 5 + 3)


def _answer(lease, user):
    from annotate.services.judgement import shown_in

    left, right = lease.shown_order
    answer = {"outcome": "ranking", "ranking": [[left], [right]], "strength": 1, "schema_version": 1}
    answer["texts_sha256"] = dict(shown_in(lease).sha256)
    return submit_judgement(assignment=lease, user=user, answer=answer, idempotency_key="a")


def test_a_round_by_command_does_all_of_it(running):
    said = told("round", "answers", "--wait")
    assert (said["state"], said["version"]) == ("promoted", "answers:1")
    assert said["comparison"]["new"]["value"] > 0.9
    assert not running.jobs.unfinished().exists()
    with pytest.raises(CommandError, match="from the same judgements by the same recipe"):
        call_command("round", "answers", "--wait")


def test_a_suite_comes_in_by_command(running, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(jsonl(*REWARD_BENCH).read())
    assert told("import_suite", "answers", path, "--name", "bench")["pairs"] == len(REWARD_BENCH)
    with pytest.raises(CommandError, match="'bench' already"):
        call_command("import_suite", "answers", str(path), "--name", "bench")


def test_a_suite_that_was_tampered_with_fails_its_job_and_the_round(running):
    beat()
    run_now(Job.objects.get(kind="train"))
    beat()
    running.round_policy.suite.pairs.all()[:1].get().delete()
    failed = run_now(Job.objects.get(kind="evaluate", params__has_key="round"))
    assert "not those that were frozen" in failed.error
    beat()
    assert "Measuring failed: The pairs of suite core" in running.rounds.get().words
