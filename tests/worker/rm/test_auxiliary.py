"""The losses beside the preference, against hand-worked values, quantiles and constructed data."""

import math

import pytest
import torch

from worker.rm import auxiliary as a

NAN = float("nan")


def test_ratings_that_nobody_gave_cost_nothing_and_pull_nowhere():
    predicted = torch.tensor([[1.0, 5.0], [2.0, 2.0]], requires_grad=True)
    loss = a.attributes(predicted, torch.tensor([[3.0, NAN], [2.0, 1.0]]))
    (gradient,) = torch.autograd.grad(loss, predicted)
    assert float(loss) == 4 + 0 + 1
    assert gradient.tolist() == [[-4, 0], [0, 2]]


def test_both_classes_of_a_category_weigh_alike_and_ignored_segments_nothing():
    labels = torch.tensor([[1, 1], [0, -1], [0, 0], [0, 0], [-1, 0]], dtype=torch.int8)
    weights = a.balance(labels)
    assert weights[:, 0].tolist() == [1.5, 0.5, 0.5, 0.5, 0]
    for column, given in zip(weights.T, labels.T, strict=True):
        assert float(column[given == 1].sum()) == pytest.approx(float(column[given == 0].sum()))
    assert float(a.segments(torch.zeros(5, 2), labels, weights)) == pytest.approx(math.log(2) * float(weights.sum()))
    assert int(a.said(labels)) == 8


def test_a_category_of_one_class_alone_weighs_nothing():
    assert a.balance(torch.ones(4, 1, dtype=torch.int8)).tolist() == [[0.0]] * 4


def test_a_step_costs_its_cross_entropy_and_a_disputed_one_is_shared_out():
    logits = torch.tensor([[0.0, 1.0, 2.0]] * 4)
    logs = logits[0].log_softmax(0)
    assert float(a.steps(logits[:1], torch.tensor([1.0]))) == pytest.approx(-float(logs[2]))
    assert float(a.steps(logits[:1], torch.tensor([-0.25]))) == pytest.approx(-float(0.25 * logs[0] + 0.75 * logs[1]))
    assert float(a.steps(logits, torch.tensor([NAN] * 4))) == 0


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_pinball_loss_is_least_at_the_quantile(level):
    ratings = torch.arange(101, dtype=torch.double)
    guesses = torch.linspace(0, 100, 401, dtype=torch.double)
    losses = [float(a.quantiles(g.expand(101, 1), ratings, torch.tensor([level]))) for g in guesses]
    assert float(guesses[losses.index(min(losses))]) == pytest.approx(100 * level, abs=1)


def test_the_pinball_loss_by_hand():
    found = a.quantiles(torch.tensor([[2.0], [2.0], [2.0]]), torch.tensor([3.0, 0.0, NAN]), torch.tensor([0.25]))
    assert float(found) == pytest.approx(0.25 * 1 + 0.75 * 2)


def test_correlation_is_pearsons():
    draw = torch.randn(2, 50, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    assert float(a.correlation(*draw)) == pytest.approx(float(torch.corrcoef(draw)[0, 1]))
    assert float(a.correlation(torch.zeros(9), torch.arange(9.0))) == 0
    assert float(a.correlation(torch.arange(9.0), torch.ones(9))) == 0


def odin(quality, length, rows, queue=None):
    tokens = torch.arange(float(len(quality)))
    return a.odin(quality, length, tokens, torch.tensor(rows), torch.zeros(0, 3) if queue is None else queue)


def test_odin_is_least_where_quality_knows_nothing_of_length_and_the_other_head_all():
    tokens = torch.arange(5.0)
    blind = torch.tensor([1.0, -1.0, 0.0, -1.0, 1.0])  # symmetric, so uncorrelated with a ramp
    assert float(odin(blind, tokens, [[1.0, 0.0], [0.0, 2.0]])[0]) == pytest.approx(-1)
    assert float(odin(tokens, tokens, [[1.0, 0.0], [0.0, 2.0]])[0]) == pytest.approx(0)
    assert float(odin(-tokens, -tokens, [[3.0, 0.0], [2.0, 0.0]])[0]) == pytest.approx(1 + 1 + 1)


def test_odin_remembers_at_least_256_responses_and_only_the_batch_is_pulled():
    rows, queue = [[1.0, 0.0], [0.0, 1.0]], torch.zeros(0, 3)
    for start in range(0, 400, 16):
        scores = torch.arange(start, start + 16.0, requires_grad=True)
        loss, queue = odin(scores, scores * 2, rows, queue)
    (gradient,) = torch.autograd.grad(loss, scores)
    assert (len(queue), queue.requires_grad, len(gradient)) == (a.QUEUE, False, 16)
    assert queue[-1].tolist() == [399.0, 798.0, 15.0]
    assert queue[0, 0] == 400 - a.QUEUE


def test_a_queue_takes_the_correlation_of_chance_away():
    """E|ρ| of 16 independent pairs is near √(2/(15π)) = .206; over 256 + 16 it is near .05."""
    draw = torch.Generator().manual_seed(1)
    alone, queued, queue = [], [], torch.zeros(0, 3)
    for _ in range(200):
        scores, tokens = torch.randn(16, generator=draw), torch.randn(16, generator=draw)
        alone.append(float(a.correlation(scores, tokens).abs()))
        seen = torch.cat([queue, torch.stack([scores, scores, tokens], 1)])
        queued.append(float(a.correlation(seen[:, 0], seen[:, 2]).abs()))
        _, queue = a.odin(scores, scores, tokens, torch.eye(2), queue)
    assert sum(alone) / 200 == pytest.approx(0.206, abs=0.03)
    assert sum(queued[20:]) / 180 < 0.08


@pytest.mark.parametrize("name", ["attributes", "segments", "steps", "quantiles", "odin"])
def test_gradients_are_those_of_the_function(name):
    draw = torch.randn(6, 3, generator=torch.Generator().manual_seed(2), dtype=torch.double)
    rating, labels = draw.flip(0) * 0.3, (draw > 0).to(torch.int8)
    of = {
        "attributes": lambda x: a.attributes(x, rating),
        "segments": lambda x: a.segments(x, labels, a.balance(labels)),
        "steps": lambda x: a.steps(x, rating[:, 0]),
        "quantiles": lambda x: a.quantiles(x, rating[:, 0], torch.tensor([0.2, 0.5, 0.8])),
        "odin": lambda x: a.odin(x[:, 0], x[:, 1], rating[:, 2], x.T[:2], torch.zeros(0, 3))[0],
    }
    assert torch.autograd.gradcheck(of[name], draw.clone().requires_grad_())


@pytest.mark.parametrize("far", [1e4, -1e4])
def test_far_out_they_stay_finite(far):
    x = torch.full((3, 3), far, requires_grad=True)
    rating = torch.tensor([1.0, NAN, -1.0])
    labels = torch.tensor([[1, 0, -1]] * 3, dtype=torch.int8)
    total = a.attributes(x[:, :1], rating[:, None]) + a.segments(x, labels, torch.ones(3, 3)) + a.steps(x, rating)
    total = (
        total + a.quantiles(x, rating, torch.tensor([0.5])) + a.odin(x[0], x[1], x[2].detach(), x, x.detach()[:0])[0]
    )
    assert torch.isfinite(torch.autograd.grad(total, x)[0]).all()
