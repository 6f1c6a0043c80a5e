"""A pool of what was judged here: its gold is people's mean, of held-out prompts alone."""

import numpy as np
import pytest

from annotate.models import Item
from annotate.schema import Schema
from annotate.services.project import change_schema
from tests.inspector.making import judge, make_item
from worker.models import Pool
from worker.services.columns import column, column_names
from worker.services.judged_pool import RUBRIC, WON, pool_of_judged

CRITERIA = [
    {"key": "clear", "label": "Clear", "kind": "likert", "low": 1, "high": 5},
    {"key": "true", "label": "True", "kind": "yes_no", "weight": 3},
]


def held_out(project, prompt, *texts, split="test"):
    item = make_item(project, prompt, *texts)
    Item.objects.filter(pk=item.pk).update(split=split)
    return item


@pytest.fixture
def three(project):
    """Bob: a > b > c. Charlie: a > b."""
    item = held_out(project, "Where does the Oder end?", "a", "b", "c")
    a, b, c = item.responses.all()
    judge(item, [[a], [b], [c]], rater_name="Bob")
    judge(item, [[a], [b]], rater_name="Charlie")
    return a, b, c


def test_without_ratings_the_gold_is_the_share_of_comparisons_won(project, three):
    pool = pool_of_judged(project=project, name="ours")
    assert (pool.sizes, column_names(pool)) == ([3], ["gold"])
    assert column(pool, "gold").tolist() == [1.0, 1 / 3, 0.0]  # b lost twice and won once
    assert list(pool.candidates.order_by("pk").values_list("text", "gold")) == [("a", 1.0), ("b", 1 / 3), ("c", 0.0)]
    assert project.events.get(kind="pool.judged").data["gold"] == WON


def test_ratings_are_averaged_by_their_weights_and_each_criterion_stands_beside(project, three):
    a, b, _ = three
    change_schema(project=project, schema=Schema(criteria=CRITERIA))
    judge(a.item, [[a], [b]], ratings={str(a.pk): {"clear": 5, "true": 1}, str(b.pk): {"clear": 3}})
    judge(a.item, [[a], [b]], ratings={str(a.pk): {"clear": 1, "true": 1}, str(b.pk): {"clear": 3, "true": 0}})
    pool = pool_of_judged(project=project, name="ours")
    assert pool.sizes == [2]  # nobody rated c
    assert column(pool, "gold").tolist() == [(1 + 3 / 4) / 2, (0.5 + 0.5 / 4) / 2]
    assert column_names(pool) == ["gold", "rating: clear", "rating: true", WON]
    np.testing.assert_array_equal(column(pool, "rating: clear"), [3, 3])
    assert RUBRIC not in column_names(pool)


def test_training_prompts_and_lone_responses_are_left_out(project, three):
    for split, texts in (("train", ("x", "y")), ("test", ("z",))):
        item = held_out(project, f"a {split} prompt", *texts, split=split)
        judge(item, [[one] for one in item.responses.all()])
    assert pool_of_judged(project=project, name="ours").size == 3


def test_what_machines_said_is_no_gold(project):
    item = held_out(project, "Why?", "a", "b")
    judge(item, [[one] for one in item.responses.all()], source="machine")
    with pytest.raises(ValueError, match="no held-out prompt has 2 responses"):
        pool_of_judged(project=project, name="ours")
    assert not Pool.objects.exists()


def test_a_name_is_taken_once(project, three):
    pool_of_judged(project=project, name="ours")
    with pytest.raises(ValueError, match="has a pool 'ours' already"):
        pool_of_judged(project=project, name="ours")
