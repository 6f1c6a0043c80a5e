"""Each transform against values worked out by hand, alone and in sequence."""

import math

import numpy as np
import pytest

from worker.rm.transforms import FORMULAS, FUNCTIONS, read, sources, transformed

KNOWN = {"": {"x": [1.0, 2.0, 6.0], "y": [0.0]}, "sft": {"x": [2.0]}}


def after(raw, *steps, prompts=None, known=KNOWN):
    return transformed(read(list(steps)), np.float32(raw), prompts or ["x"] * len(raw), known).tolist()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"name": "standardise", "mean": 1.0, "std": 2.0}, [0.0, 1.0, -1.0]),
        ({"name": "temperature", "value": 0.5}, [2.0, 6.0, -2.0]),
        ({"name": "baseline"}, [-2.0, 0.0, -4.0]),
        ({"name": "baseline", "of": "quantile", "quantile": 0.5}, [-1.0, 1.0, -3.0]),
        ({"name": "baseline", "of": "quantile", "quantile": 0.75}, [-3.0, -1.0, -5.0]),  # halfway from 2 to 6
        ({"name": "delta", "source": "sft"}, [-1.0, 1.0, -3.0]),
        ({"name": "clip", "low": -0.5, "high": 2.5}, [1.0, 2.5, -0.5]),
        ({"name": "clip", "high": 2.5}, [1.0, 2.5, -1.0]),
    ],
)
def test_a_step_by_hand(step, expected):
    assert after([1.0, 3.0, -1.0], step) == pytest.approx(expected)


def test_log_sigmoid_centring_by_hand():
    step = {"name": "log_sigmoid", "of": "mean"}
    expected = [math.log(1 / (1 + math.exp(3 - r))) for r in (3.0, 5.0, -1.0)]
    assert after([3.0, 5.0, -1.0], step) == pytest.approx(expected)
    assert expected[0] == pytest.approx(-math.log(2))
    assert after([-500.0, 500.0], step) == pytest.approx([-503.0, 0.0])  # no overflow


def test_without_steps_nothing_changes():
    assert after([1.5, -2.0]) == [1.5, -2.0]


def test_references_go_through_the_steps_before():
    halves = {"name": "temperature", "value": 2.0}
    assert after([5.0], halves, {"name": "baseline"}) == pytest.approx([2.5 - 1.5])
    clip = {"name": "clip", "high": 3.0}
    assert after([5.0], clip, {"name": "baseline"}) == pytest.approx([3.0 - 2.0])  # mean of 1, 2, 3


def test_a_second_comparison_sees_what_the_first_made():
    steps = [{"name": "baseline"}, {"name": "delta", "source": "sft"}]
    assert after([5.0], *steps) == pytest.approx([(5.0 - 3.0) - (2.0 - 3.0)])


@pytest.mark.parametrize("name", ["baseline", "log_sigmoid", "delta"])
def test_without_a_reference_it_is_not_defined_and_never_zero(name):
    step = {"name": name, "source": "sft"}
    found = after([1.0, 1.0], step, {"name": "clip", "low": -9.0}, prompts=["x", "y"])
    assert math.isfinite(found[0])
    assert math.isnan(found[1])


def test_each_prompt_has_its_own_reference_wherever_it_stands():
    assert after([1.0, 1.0, 1.0], {"name": "baseline"}, prompts=["y", "x", "y"]) == [1.0, -2.0, 1.0]


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"clip"}))
def test_the_order_within_a_prompt_stays(name):
    extra = {"standardise": {"mean": 3.0, "std": 0.2}, "temperature": {"value": 7.0}}.get(name, {"source": "sft"})
    raw = np.linspace(-3, 3, 13)
    assert (np.diff(after(raw, {"name": name} | extra)) > 0).all()


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("clip", "transforms"),
        ([{"name": "cube"}], "transforms.0"),
        ([{"name": "temperature", "value": 0}], "transforms.0.temperature.value"),
        ([{"name": "temperature", "value": math.nan}], "transforms.0.temperature.value"),
        ([{"name": "clip", "low": 1, "high": 1}], "low must be less than high"),
        ([{"name": "clip"}], "low, high or both"),
        ([{"name": "baseline"}, {"name": "delta"}], "transforms.1.delta.source"),
        ([{"name": "log_sigmoid", "quantile": 1.5}], "transforms.0.log_sigmoid.quantile"),
        ([{"name": "baseline", "extra": 1}], "transforms.0.baseline.extra"),
    ],
)
def test_wrong_steps_are_refused_by_place(steps, why):
    with pytest.raises(ValueError, match=why):
        read(steps)


def test_every_step_has_a_function_and_a_formula():
    assert set(FUNCTIONS) == set(FORMULAS)
    assert sources(read([{"name": "baseline"}, {"name": "delta", "source": "a"}, {"name": "log_sigmoid"}])) == ["", "a"]


def test_no_step_leads_to_infinity():
    tiny = {"name": "standardise", "mean": 0.0, "std": 1e-300}
    assert np.isfinite(after([5.0, -5.0], tiny, tiny)).all()
    assert np.isfinite(after([5.0], {"name": "clip", "low": 1e300})).all()
    assert math.isnan(after([5.0], {"name": "baseline"}, prompts=["unknown"])[0])
