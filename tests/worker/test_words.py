"""The checks of a run in words, and a version's recipe to be read."""

import math

import pytest

from tests.inspector.making import make_version
from worker.recipes import in_groups, recipe_of
from worker.templatetags.numbers import plain
from worker.words import checks

ACCURACY = {"value": 0.7, "low": 0.6, "high": 0.8, "n": 50}


def only(**metrics):
    (check,) = checks(metrics)
    return check


def test_what_was_not_measured_is_not_claimed():
    assert checks({}) == []
    assert checks({"step0_loss": math.nan}) == []
    assert checks({"swapped_check": {"value": None}, "pair_accuracy": {"value": None}}) == []


@pytest.mark.parametrize(
    ("swapped", "suspicious", "good", "said"),
    [(0.3, False, True, "the two sum to 100 %"), (0.4, False, False, "must sum"), (0.3, True, False, "turned round")],
)
def test_accuracy_against_swapped_labels(swapped, suspicious, good, said):
    check = only(pair_accuracy=ACCURACY, swapped_check={"value": swapped, "suspicious": suspicious})
    assert check.good is good
    assert said in check.said


@pytest.mark.parametrize(("loss", "good"), [(math.log(2), True), ({"value": math.log(2)}, True), (0.8, False)])
def test_an_untrained_model_prefers_nothing(loss, good):
    assert only(step0_loss=loss).good is good


def test_a_warm_start_has_an_opinion_and_may():
    check = only(step0_loss=0.31, warm=True)
    assert check.good
    assert "0.3100 before the first step: it began from the weights of a version" in check.said


@pytest.mark.parametrize(
    ("leaked", "good", "said"),
    [(0, True, "Nothing"), ({"prompts": 0, "responses": 0}, True, "Nothing"), ({"prompts": 3}, False, "3 prompts")],
)
def test_leakage_is_named(leaked, good, said):
    check = only(leakage=leaked)
    assert check.good is good
    assert said in check.said


def test_a_recipe_is_read_in_groups_without_what_its_trainer_does_not_read():
    recipe = recipe_of({"name": "lora", "tuning.epochs": 2}).model_dump(mode="json")
    groups = dict(in_groups(recipe))
    assert "The heads" in groups  # how segments end is read by every trainer
    tuning = {line.name: line for line in groups["How weights are moved"]}
    assert (tuning["tuning.epochs"].value, tuning["tuning.epochs"].changed) == (2, True)
    assert not tuning["tuning.lora_rank"].changed
    assert "heads.folds" not in {line.name for line in groups["The heads"]}


def test_a_recipe_of_another_time_is_shown_as_it_stands():
    assert [line.value for _, lines in in_groups({"name": "heads", "alchemy": 3}) for line in lines] == ["heads", 3]


@pytest.mark.parametrize(
    ("value", "said"), [(True, "yes"), (None, "auto"), ("", "none"), ((), "none"), ([1, 2.5], "1, 2.5"), (0, "0")]
)
def test_values_are_written_for_people(value, said):
    assert plain(value) == said


def test_the_page_of_a_version_shows_checks_and_recipe(client_of, alice, project):
    version = make_version(project)
    version.metrics = {"step0_loss": math.log(2), "leakage": {"prompts": 2}, "weighted_accuracy": ACCURACY}
    version.save()
    page = client_of(alice).get("/p/answers/versions/1/").content.decode()
    for said in ("Loss at step 0", "holds", "2 prompts", "fails", "inverse of its chance", "How texts are read"):
        assert said in page
