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
