"""Recipes that cannot be meant."""

import pytest
from pydantic import ValidationError

from worker.rm.recipe import Extras, Heads, Recipe


@pytest.mark.parametrize("more", [{"odin": True}, {"members": 2}])
def test_a_gate_stands_in_place_of_the_preference_head(more):
    with pytest.raises(ValidationError, match="in place of the preference head"):
        Extras(gate=True, **more)


def test_odin_parts_linear_heads_and_those_of_a_network():
    with pytest.raises(ValidationError, match="two linear heads"):
        Recipe(extras=Extras(odin=True), heads=Heads(head="mlp"))
    assert Recipe(name="lora", extras=Extras(odin=True), heads=Heads(head="mlp")).extras.odin


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("tuning", "clip", "inf"),
        ("tuning", "lora_alpha", "inf"),
        ("tuning", "seed", -1),
        ("tuning", "seed", "9" * 3000),
        ("tuning", "token_budget", 10**30),
        ("heads", "l2", ["nan"]),
        ("heads", "l2", [-1]),
        ("heads", "l2", []),
        ("heads", "l2", [1.0] * 21),
        ("heads", "segment_l2", 0),
        ("heads", "embedding_share", "nan"),
        ("extras", "quantiles", [0.5, 0.5]),
        ("extras", "quantiles", [n / 100 for n in range(1, 40)]),
        ("extras", "verbosity", "a\x00b"),
    ],
)
def test_what_no_database_or_fit_could_take_is_refused_at_its_name(part, name, value):
    with pytest.raises(ValidationError) as no:
        Recipe.model_validate({part: {name: value}})
    assert part in no.value.errors()[0]["loc"]
