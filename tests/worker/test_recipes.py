"""A recipe by dotted names: read from texts, told what is wrong, stored as what was changed."""

import pytest
from pydantic import ValidationError

from worker.recipes import (
    DEFAULTS,
    FIELDS,
    OPTIONS,
    changed,
    checked,
    choices,
    complaints,
    flat,
    idle,
    parse,
    recipe_of,
    stored,
)
from worker.rm.recipe import Recipe

LORA = {"name": "lora", "tuning.epochs": "2", "tuning.lora_rank": "", "extras.quantiles": ".1, .9"}


def test_each_value_of_a_recipe_has_a_name_for_people():
    assert set(OPTIONS) | {"name"} == set(FIELDS) == set(DEFAULTS)


def test_texts_become_values_and_empty_ones_the_default():
    recipe = recipe_of(LORA)
    assert (recipe.name, recipe.tuning.epochs, recipe.tuning.lora_rank) == ("lora", 2, 16)
    assert recipe.extras.quantiles == (0.1, 0.9)
    assert recipe_of(flat(recipe)) == recipe


def test_only_what_was_changed_is_stored_and_gives_the_same_recipe():
    recipe = recipe_of(LORA)
    assert stored(recipe) == {"name": "lora", "tuning": {"epochs": 2}, "extras": {"quantiles": [0.1, 0.9]}}
    assert Recipe.model_validate(stored(recipe)) == recipe
    assert changed(Recipe()) == {"name": "heads"}


@pytest.mark.parametrize(
    ("values", "unused"),
    [
        ({"tuning.epochs": 2}, ["tuning.epochs"]),
        ({"name": "full", "tuning.lora_rank": 8, "tuning.epochs": 2}, ["tuning.lora_rank"]),
        ({"extras.combine": "uwo"}, ["extras.combine"]),
        ({"extras.members": 3, "extras.combine": "uwo", "extras.uwo_weight": 1}, []),
        ({"heads.hidden": 8}, ["heads.hidden"]),
        ({"heads.head": "mlp", "heads.hidden": 8}, []),
    ],
)
def test_what_would_do_nothing_is_known(values, unused):
    assert idle(recipe_of(values)) == unused


def test_a_wrong_value_is_named():
    with pytest.raises(ValidationError) as error:
        recipe_of({"name": "lora", "tuning.epochs": "0", "extras.quantiles": "a"})
    assert set(complaints(error.value)) == {"tuning.epochs", "extras.quantiles"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "lora", "tuning.epochs": "many"}, "tuning.epochs: Input should be a valid integer"),
        ({"tuning.epochs": "2"}, "tuning.epochs would change nothing with trainer heads"),
        ({"preference.objective": "x"}, "There is no objective 'x'"),
    ],
)
def test_who_types_names_hears_one_line(values, said):
    with pytest.raises(ValueError, match=said):
        checked(values)


def test_pairs_of_the_command_line():
    assert parse(["tuning.epochs=2", "extras.verbosity=a=b"]) == {"tuning.epochs": "2", "extras.verbosity": "a=b"}
    for wrong in ("tuning.epochs", "tuning.epoch=2", "name=lora"):
        with pytest.raises(ValueError, match="sets nothing"):
            parse([wrong])


def test_what_can_be_chosen_from():
    assert choices("encoding.template") == ("plain", "chat")
    assert "segments" in choices("heads.parts")
    assert "davidson" in choices("preference.objective")
    assert choices("tuning.epochs") == ()
