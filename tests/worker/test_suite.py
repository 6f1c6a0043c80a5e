"""Suites: what is frozen, that it stays frozen, and how versions stand on it."""

import json

import pytest
from django.core.exceptions import ValidationError

from annotate.models import Item, Judgement
from annotate.services.item import import_items
from tests.inspector.making import make_version
from tests.worker.conftest import PROMPTS, jsonl, row
from worker.models import SuitePair, SuiteScore
from worker.services.suite import (
    category_of,
    check_frozen,
    credits_of,
    digest,
    freeze_held_out,
    import_suite,
    known_prompts,
    leaderboard,
    prompt_of,
)

REWARD_BENCH = [
    {"prompt": f"What is {n} + 1?", "chosen": str(n + 1), "rejected": str(n), "subset": "math" if n % 2 else "sums"}
    for n in range(6)
]


@pytest.fixture
def suite(project):
    return import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")


def scored(version, suite, *right):
    """The version's scores: 1 right, 0 wrong, ½ the same for both."""
    rows = zip(suite.pairs.order_by("pk"), right, strict=True)
    SuiteScore.objects.bulk_create(
        SuiteScore(version=version, pair=pair, chosen=value, rejected=0.5) for pair, value in rows
    )


def test_a_file_of_pairs_becomes_a_frozen_suite(suite):
    pairs = list(suite.pairs.order_by("pk"))
    assert [(p.chosen, p.rejected, p.category) for p in pairs[:2]] == [("1", "0", "sums"), ("2", "1", "math")]
    assert suite.sha256 == digest(reversed(pairs))
    check_frozen(suite, pairs)
    SuitePair.objects.filter(pk=pairs[0].pk).update(chosen="another")
    with pytest.raises(ValueError, match="not those that were frozen"):
        check_frozen(suite, suite.pairs.all())


def test_votes_decide_and_what_is_undecided_is_counted(project):
    said = [{"shown": [0, 1], "outcome": "ranking", "ranking": [[w], [1 - w]]} for w in (0, 0, 1)]
    tied = [{"shown": [0, 1], "outcome": "tie"}, {"shown": [1, 0], "outcome": "cannot_judge", "reason": "?"}]
    rows = [
        {"prompt": "a", "responses": ["good", "bad"], "judgements": said},
        {"prompt": "b", "responses": ["good", "bad"], "judgements": tied},
        {"prompt": "c", "responses": ["same", "same"], "judgements": said[:1]},
    ]
    suite = import_suite(project=project, name="votes", file=jsonl(*rows), format="jsonl")
    assert [(p.chosen, p.rejected) for p in suite.pairs.all()] == [("good", "bad")]
    assert project.events.get(kind="suite.frozen").data["undecided"] == 1


def test_the_held_out_prompts_of_a_project_become_a_suite(judged):
    suite = freeze_held_out(project=judged, name="held out")
    held = set(Item.objects.filter(split="test").values_list("prompt_sha256", flat=True))
    assert {prompt_of(pair) for pair in suite.pairs.all()} == held
    assert all("museum" in pair.chosen for pair in suite.pairs.all())
    assert not known_prompts(suite, suite.pairs.all())


def test_it_stays_as_it_was_when_people_judge_on(judged):
    before = freeze_held_out(project=judged, name="before")
    import_items(project=judged, file=jsonl(*map(row, range(PROMPTS, 2 * PROMPTS))), format="jsonl")
    check_frozen(before, before.pairs.all())
    assert freeze_held_out(project=judged, name="after").sha256 != before.sha256


def test_withdrawn_verdicts_are_not_frozen(judged):
    Judgement.objects.update(superseded=True)
    with pytest.raises(ValidationError, match="no pair"):
        freeze_held_out(project=judged, name="nothing")


def test_prompts_that_versions_train_on_are_known(judged):
    rows = [row(n) for n in range(PROMPTS)]
    suite = import_suite(project=judged, name="all", file=jsonl(*rows), format="jsonl")
    trained = set(Item.objects.filter(split="train").values_list("prompt_sha256", flat=True))
    assert known_prompts(suite, suite.pairs.all()) == trained


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no items|no pair"),
        (b'{"prompt": "a", "chosen": "b"}\n', "line 1"),
        (json.dumps(REWARD_BENCH[0]).encode() + b"\nnonsense", "line 2"),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_kept(project, content, message):
    file = jsonl()
    file.write(content)
    with pytest.raises(ValidationError, match=message):
        import_suite(project=project, name="core", file=file, format="reward-bench")
    assert not project.suites.exists()


def test_a_name_is_taken_once(project, suite):
    with pytest.raises(ValidationError, match="'core' already"):
        import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")


def test_the_category_is_the_first_name_that_is_there():
    assert category_of({"subset": "math", "category": "hard"}) == "hard"
    assert category_of({"section": "x" * 99}) == "x" * 60
    assert category_of({"category": ["a list"]}) == ""


def test_the_leaderboard_counts_ties_half_and_keeps_categories_apart(project, suite):
    one, two = make_version(project, 1), make_version(project, 2)
    scored(one, suite, 1, 1, 1, 0, 0.5, 0)  # sums: 1, 1, ½; math: 1, 0, 0
    scored(two, suite, 1, 1, 1, 1, 1, 0)
    best, worse = leaderboard(suite)
    assert (best.version, worse.version) == (two, one)
    assert worse.accuracy.value == pytest.approx(3.5 / 6)
    assert {name: found.value for name, found in worse.categories.items()} == pytest.approx(
        {"sums": 2.5 / 3, "math": 1 / 3}
    )
    assert worse.accuracy.low < 3.5 / 6 < worse.accuracy.high
    assert list(credits_of(suite, one).values()) == [1, 1, 1, 0, 0.5, 0]


def test_a_file_of_too_many_pairs_is_refused_by_its_line(project, monkeypatch):
    many = [f"answer {n}" for n in range(300)]
    said = {"shown": list(range(300)), "outcome": "ranking", "ranking": [[n] for n in range(300)]}
    huge = jsonl({"prompt": "a", "responses": many, "judgements": [said]})
    with pytest.raises(ValidationError, match="1: a ranking of a suite holds at most 256"):
        import_suite(project=project, name="core", file=huge, format="jsonl")
    monkeypatch.setattr("worker.services.suite.MOST_PAIRS", 4)
    with pytest.raises(ValidationError, match="5: a suite holds at most 4 pairs"):
        import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    assert not project.suites.exists()
