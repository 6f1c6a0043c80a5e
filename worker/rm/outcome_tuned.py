"""What is known of a tuned model: its scores' scale, and its predictions on what it never saw."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from . import calibration, labels, steps, targets
from .layers import Curve
from .network import Outputs
from .reading import Input
from .training import Trained
from .tuned import TunedModel, predict, table
from .types import Dataset, HeldOut, Report, silent

SAMPLE = 2000  # training examples that scale and length curve are taken from


def finish(model: TunedModel, data: Dataset, inputs: Sequence[Input], report: Report = silent) -> Trained:
    """The model with its length curve, mean and standard deviation, and what it says of the held-out part."""
    held = targets.held(data)
    inside = np.flatnonzero(~held).tolist()
    sample = sorted(random.Random(0).sample(inside, min(SAMPLE, len(inside))))  # nosec B311  # no secret
    picked = np.array([*sample, *np.flatnonzero(held)], dtype=int)
    some = [inputs[n] for n in picked]
    outputs = predict(model.network, some, report)
    if model.recipe.extras.length_calibration:
        model = _carry(model, curve=_curve(model, outputs, some, len(sample)))
    scores = table(model, outputs, some)
    own = scores[: len(sample), 0]
    model = _carry(model, mean=float(own.mean()), std=float(own.std(correction=0)))
    info = {
        "temperature": model.temperature,
        "truncated": sum(one.cut > 0 for one in inputs),
        "read_alike": sum(inputs[a].ids == inputs[b].ids for a, b in targets.of_different_texts(data).tolist()),
        "without_head": [name for name in _wanted(data) if name not in model.heads],
    }
    if model.shape.members > 1:
        each = np.corrcoef(outputs.members[: len(sample)].numpy().T)
        info["member_correlation"] = float(each[~np.eye(len(each), dtype=bool)].mean())
    return Trained(model, _held_out(model, data, scores.numpy(), outputs, inputs, picked), {}, info)


def _carry(model: TunedModel, **changed: object) -> TunedModel:
    """The changed model with the network that is in memory already."""
    found = replace(model, **changed)
    found.__dict__["network"] = model.network
    return found


def _wanted(data: Dataset) -> list[str]:
    return [f"attribute:{key}" for key in data.criteria] + [f"segment:{key}" for key in data.categories]


def _curve(model: TunedModel, outputs: Outputs, some: Sequence[Input], count: int) -> Curve:
    lengths = np.array([float(one.tokens) for one in some[:count]])
    raw = table(model, outputs, some)[:count, 0].numpy()
    knots, values = calibration.length_curve(lengths, raw)
    return Curve(torch.from_numpy(knots).float(), torch.from_numpy(values).float())


def _held_out(
    model: TunedModel, data: Dataset, scores: np.ndarray, outputs: Outputs, inputs: Sequence[Input], picked: np.ndarray
) -> HeldOut:
    """`scores` and `outputs` are of the examples `picked`, which hold all that is held out."""
    place = {head: n for n, head in enumerate(model.heads)}
    row = {n: k for k, n in enumerate(picked.tolist())}
    test = labels.pairs(data.test)
    first, second = test.first.numpy(), test.second.numpy()
    margins = np.array(
        [scores[row[a], 0] - scores[row[b], 0] for a, b in zip(first, second, strict=True)], dtype=np.float32
    )
    held = targets.held(data)
    away = held[picked]
    ratings, overall = (
        targets.ratings(data, model.shape.criteria),
        targets.overall(targets.ratings(data, data.criteria)),
    )
    seen = replace(data, examples=[data.examples[n] for n in picked])
    bounds = [inputs[n].bounds for n in picked]
    return HeldOut(
        margins,
        test.p.numpy(),
        first,
        second,
        _segments(model, seen, bounds, away, outputs.segments),
        {
            key: _known(scores[:, place[f"attribute:{key}"]], ratings[picked, n], away)
            for n, key in enumerate(model.shape.criteria)
        },
        _steps(seen, bounds, away, outputs.steps) if model.shape.steps else None,
        {f"{q:g}": _known(scores[:, place[f"quantile:{q:g}"]], overall[picked], away) for q in model.shape.quantiles},
    )


def _known(predicted: np.ndarray, said: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = held & ~np.isnan(said)
    return predicted[known], said[known]


def _segments(
    model: TunedModel, seen: Dataset, bounds: Sequence[np.ndarray], away: np.ndarray, logits: Tensor
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = targets.segment_labels(seen, bounds, ~away, model.categories)
    known, values = found >= 0, logits.numpy()
    return {key: (values[known[:, n], n], found[known[:, n], n]) for n, key in enumerate(model.categories)}


def _steps(
    seen: Dataset, bounds: Sequence[np.ndarray], away: np.ndarray, logits: Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """(P(not wrong), label) of each held-out step."""
    label = targets.step_labels(seen, bounds, ~away)
    chance = steps.right(logits).exp().numpy()
    return chance[~np.isnan(label)], label[~np.isnan(label)]
