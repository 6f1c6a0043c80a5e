"""What 20 tokens are worth: recovered where it was planted, in numbers and in the known world."""

import numpy as np
import pytest
from scipy import optimize, special

from annotate.world import make_world
from annotate.world.raters import RATERS
from inspector.stats.effect import _fit, biases, of_scores, of_verdicts


def test_of_scores_is_least_squares_within_prompts():
    rng = np.random.default_rng(0)
    which = np.repeat(np.arange(100), 4)
    tokens, quality = rng.integers(10, 200, 400), rng.normal(size=400)
    scores = which % 7 + 0.4 * tokens / 20 + 2 * quality + rng.normal(0, 0.1, 400)
    found = of_scores(scores, tokens, which, quality)
    dummies = np.eye(100)[which]
    full = np.column_stack([tokens / 20, quality, dummies])
    assert found.value == pytest.approx(np.linalg.lstsq(full, scores, rcond=None)[0][0])
    assert found.low < 0.4 < found.high


def test_quality_that_goes_with_length_is_taken_out():
    rng = np.random.default_rng(1)
    which, quality = np.repeat(np.arange(200), 4), rng.normal(size=800)
    tokens = (100 + 30 * quality + rng.normal(0, 20, 800)).round()
    assert of_scores(quality, tokens, which).low > 0.1
    assert of_scores(quality, tokens, which, quality).value == pytest.approx(0, abs=1e-9)


def verdicts(n, length, order, alpha, seed=0):
    """Pairs judged by Rao and Kupper's model."""
    rng = np.random.default_rng(seed)
    longer = rng.normal(0, 40, n)
    delta = order + length * longer / 20
    draw, first, second = rng.random(n), special.expit(delta - alpha), special.expit(-delta - alpha)
    return longer, np.where(draw < first, 1.0, np.where(draw < first + second, 0.0, 0.5))


def test_of_verdicts_is_the_maximum_of_the_likelihood():
    longer, p = verdicts(400, 0.6, 0.3, 0.4)
    x = np.stack([np.ones(400), longer / 20], 1)

    def loss(theta):
        delta, alpha = x @ theta[:2], np.exp(theta[2])
        first, second = special.expit(delta - alpha), special.expit(-delta - alpha)
        return -np.log(np.select([p == 1, p == 0], [first, second], 1 - first - second)).sum()

    best = optimize.minimize(loss, [0, 0, -1], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9})
    found = [value for value, _ in _fit(x, p, np.arange(400))]
    assert found == pytest.approx(best.x[:2], abs=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_its_interval_holds_the_truth_as_often_as_it_says(alpha):
    held = 0
    for seed in range(60):
        longer, p = verdicts(150, 0.5, 0.2, alpha, seed)
        found = biases(longer, p, np.arange(150))
        held += np.array([one.low <= truth <= one.high for one, truth in ((found.order, 0.2), (found.length, 0.5))])
    assert (held >= 52).all()


def test_verdicts_that_always_follow_length_have_no_finite_estimate():
    longer = np.arange(1.0, 41) * np.where(np.arange(40) % 2, 1, -1)
    assert "no finite estimate" in of_verdicts(longer, (longer > 0).astype(float), np.arange(40)).why


@pytest.mark.parametrize("rows", [0, 4])
def test_few_prompts_have_none(rows):
    assert "too few prompts" in of_verdicts([1.0] * rows, [1.0] * rows, np.arange(rows)).why


def test_both_biases_of_each_rater_of_the_known_world_are_recovered():
    world = make_world(questions=200, pool=0, overlap=3, open_pairs=0)
    for rater in RATERS:
        mine = [v for v in world.verdicts if v.rater == rater.name]
        pairs = [[world.questions[v.question].answers[place] for place in v.shown] for v in mine]
        which = np.array([v.question for v in mine])
        longer, better = ([getattr(a, key) - getattr(b, key) for a, b in pairs] for key in ("words", "gold"))
        found = biases(longer, [v.p for v in mine], which, better)
        assert 0 < found.length.low <= rater.length <= found.length.high
        assert found.order.low <= rater.order <= found.order.high
