"""A policy's training whose truth is planted: gold d(1 − .25 d) in units of the reference, proxy d."""

import numpy as np
import pytest

from annotate.agreement import Undefined
from inspector.stats.rollouts import training


def run(gold, steps=21, prompts=200, noise=1.0):
    """rows and prompts: d goes from 0 to 4; reward d, gold as given, both with noise that each prompt keeps."""
    rng = np.random.default_rng(4)
    d = np.repeat(np.linspace(0, 4, steps), prompts)
    which = np.tile(np.arange(prompts), steps)
    own = noise * rng.normal(size=(2, prompts))[:, which]
    return np.stack([np.round(d * 100), d * d, d + own[0], gold(d) + own[1]], axis=1), which


def turning(d):
    return d * (1 - 0.25 * d)


def test_a_planted_form_is_found_with_its_peak():
    found = training(*run(turning, noise=1e-6))
    unit = found.spreads[1]
    assert (found.fits[0].alpha.value * unit, found.fits[0].beta.value * unit) == pytest.approx((1, 0.25), abs=1e-4)
    assert found.fits[0].peak.value == pytest.approx(2, abs=1e-3)
    assert found.points[found.best] == 200


def test_a_turn_is_sure_and_the_alarm_comes_before():
    found = training(*run(turning))
    assert found.turned
    assert found.kind == "extremal"
    assert found.points[found.alarm] < found.points[found.best] == 200
    assert found.proxy.mean[-1] * found.spreads[0] == pytest.approx(4, abs=1e-9)  # each prompt keeps its noise


def test_gold_in_proportion_is_no_alarm():
    found = training(*run(lambda d: 0.4 * d))
    assert (found.kind, found.alarm, found.turned) == ("regressional", None, False)
    assert found.rate.value * found.spreads[1] / found.spreads[0] == pytest.approx(0.4)


def test_one_row_a_step_gives_a_curve_in_its_own_unit_and_no_claim():
    found = training(*run(turning, prompts=1))
    assert (found.spreads, found.prompts, found.turned, found.alarm) == ((1.0, 1.0), 1, False, None)
    assert found.gold.mean == pytest.approx([turning(d) for d in np.linspace(0, 4, 21)])


def test_a_step_that_a_prompt_lacks_is_averaged_over_the_others():
    rows = np.array([[0, 0, 1, 1], [0, 0, 3, 3], [1, 1, 5, 2.0]])
    found = training(rows, np.array([0, 1, 0]))
    assert found.proxy.raw.tolist() == [2, 5]
    assert np.isfinite(found.proxy.draws).all()


def test_one_step_is_no_run():
    with pytest.raises(Undefined, match="two steps"):
        training(np.zeros((3, 4)), np.arange(3))
