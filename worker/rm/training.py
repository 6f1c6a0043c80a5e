"""Fit every head of a reward model on a frozen backbone.

Each head is fitted by itself, since the backbone does not move: their weights in the recipe say which are wanted, not
how much. What another head reads (segments in responses, criteria in a gate) is cross-fitted, so that nothing is
trusted for having been seen.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import backbone as backbones
from . import calibration, ensemble, features, fitting, gating, heads, labels, outcome, preference, targets
from .backbone import Backbone
from .cache import Embedded
from .embed import embed
from .gating import Gated
from .heads import RewardModel
from .layers import Curve, Linear
from .preference import Problem
from .recipe import Heads, Recipe
from .types import LENGTH_HEAD, Dataset, HeldOut, Report, silent

PARTS = ("embeddings", "surface", "cosines", "segments")


@dataclass(frozen=True)
class Trained:
    """A model, what it predicts on the held-out part, and how it came about."""

    model: RewardModel
    held_out: HeldOut
    seconds: Mapping[str, float]  # embed, fit, total
    info: Mapping[str, object] = field(default_factory=dict)


def fit(
    data: Dataset,
    backbone_name: str,
    recipe: Recipe,
    *,
    cache_dir: Path | None,
    work_dir: Path,
    report: Report = silent,
) -> Trained:
    """The trainer "heads". It keeps nothing in work_dir: embeddings are cached, and the rest takes a second."""
    return fit_heads(data, backbones.load(backbone_name, recipe.encoding), recipe, cache_dir, report)


def fit_heads(
    data: Dataset, backbone: Backbone, recipe: Recipe, cache_dir: Path | None, report: Report = silent
) -> Trained:
    """Embed (or read from the cache) and fit. Raises ValueError when there is nothing to learn a preference from."""
    if not data.train:
        raise ValueError("there is no comparison to train on")
    start = time.monotonic()
    rule, prompts = recipe.heads.rule, None
    embedded = embed(backbone, data.examples, rule, cache_dir, report)
    if recipe.extras.gate:
        prompts = gating.prompts(backbone, data.examples, rule, cache_dir, report)
    middle = time.monotonic()
    with _one_thread():
        trained = fit_embedded(data, embedded, backbone, recipe, report, prompts)
    end = time.monotonic()
    return replace(trained, seconds={"embed": middle - start, "fit": end - middle, "total": end - start})


@contextmanager
def _one_thread() -> Iterator[None]:
    """Matrices this small gain nothing from more threads, and lose a lot where others want the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fit_embedded(
    data: Dataset,
    embedded: Embedded,
    backbone: Backbone,
    recipe: Recipe,
    report: Report = silent,
    prompts: Tensor | None = None,
) -> Trained:
    """The same from embeddings alone: a second of work. `prompts` (examples, D) are for a gate."""
    fold = targets.folds(data, recipe.heads.folds)
    categories, segment, logits = _segments(data, embedded, fold, recipe, report)
    x = heads.response_inputs(embedded, logits)
    inside = torch.from_numpy(fold >= 0)
    center = x[inside].mean(0)
    problem, scale = _problem(data, embedded, x, center, fold, recipe)
    rows, fitted_rows, criteria = _rows(data, embedded, x, fold, recipe, report)
    if recipe.extras.gate:
        found = _gated(problem, prompts, rows, criteria, recipe, report)
        members, mlp, gate = fitting.nothing(0, x.shape[1]), None, found.gate
    else:
        found = preference.fit(problem, report)
        (members, mlp), gate = preference.as_rows(found.members, center, scale), None
        if recipe.extras.odin:
            rows, fitted_rows = (
                (*rows, LENGTH_HEAD),
                [*fitted_rows, preference.length_row(found.members, center, scale)],
            )
    model = RewardModel(
        backbone_name=backbone.name,
        backbone_hash=backbone.hash,
        encode_hash=backbone.encoder.hash,
        rule=recipe.heads.rule,
        categories=categories,
        rows=(*rows, *(f"segment:{key}" for key in categories)),
        segment=segment,
        response=_joined(center, members, fitted_rows, len(categories)),
        mlp=mlp,
        gate=gate,
        step=_step(data, embedded, fold, recipe),
        extras=recipe.extras,
        encoding=backbone.encoder.encoding,
    )
    model = _calibrated(model, embedded, prompts, problem, found.scores)
    info = outcome.info(data, embedded, found, model, problem, prompts)
    return Trained(model, outcome.held_out(model, data, embedded, prompts), {}, info)


def _problem(
    data: Dataset, embedded: Embedded, x: Tensor, center: Tensor, fold: np.ndarray, recipe: Recipe
) -> tuple[Problem, Tensor]:
    """What the preference is fitted on, and (inputs,) the scale of its inputs.

    A part's share is each input's prior standard deviation relative to its root mean square over the pairs.
    """
    pairs = labels.pairs(data.train)
    if recipe.preference.reliability:
        pairs = labels.relied(pairs, data.reliability)
    spread = (x[pairs.first] - x[pairs.second]).square().mean(0).sqrt().clamp(min=1e-6)
    scale = _share(recipe.heads.parts, recipe.heads, embedded, x) / spread
    problem = Problem(
        x=(x - center) * scale,
        labels=labels.of(data, recipe.preference),
        pairs=pairs,
        fold=torch.from_numpy(fold),
        tokens=torch.from_numpy(embedded.sizes[:, 1]).float(),
        groups=[example.group for example in data.examples],
        recipe=recipe,
    )
    return problem, scale


def _share(parts: Sequence[str], recipe: Heads, embedded: Embedded, x: Tensor) -> Tensor:
    """(inputs,) prior standard deviation of each standardised input's weight; 0 leaves a part out."""
    width = embedded.segments.shape[1]
    sizes = (2 * width, len(features.SURFACE), len(features.COSINES), x.shape[1])
    each = (recipe.embedding_share / width**0.5, 1.0, 1.0, 1.0)
    shares = [np.full(size, one * (part in parts)) for size, one, part in zip(sizes, each, PARTS, strict=True)]
    return torch.from_numpy(np.concatenate(shares)[: x.shape[1]]).float()


# ---- Heads beside the preference


def _segments(
    data: Dataset, embedded: Embedded, fold: np.ndarray, recipe: Recipe, report: Report
) -> tuple[tuple[str, ...], Linear, Tensor]:
    """Categories seen both ways, their heads, and (segments, categories) logits by heads that did not see them."""
    wanted = data.categories if recipe.extras.segments else ()
    found = targets.segment_labels(data, targets.bounds(embedded), fold < 0, wanted)
    kept = targets.seen_both_ways(found, wanted)
    said, own = torch.from_numpy(found[:, kept]), recipe.heads
    x = heads.segment_inputs(embedded)
    share = _segment_share(embedded, x, own)
    final = fitting.fit_segments(x, said, share, own.segment_l2)
    logits = final(x)
    of = torch.from_numpy(fold[embedded.owner])
    for n in range(own.folds):
        report("segments", n + 1, own.folds + 1, {})
        without = said.clone()
        without[of == n] = -1
        logits[of == n] = fitting.fit_segments(x, without, share, own.segment_l2)(x[of == n])
    zero = torch.tensor([fitting.best_call(column, truth) for column, truth in zip(logits.T, said.T, strict=True)])
    return tuple(wanted[c] for c in kept), replace(final, bias=final.bias - zero), logits - zero


def _segment_share(embedded: Embedded, x: Tensor, recipe: Heads) -> Tensor:
    share = torch.ones(x.shape[1])
    width = embedded.segments.shape[1]
    share[:width] = recipe.embedding_share / width**0.5
    return share


def _rows(
    data: Dataset, embedded: Embedded, x: Tensor, fold: np.ndarray, recipe: Recipe, report: Report
) -> tuple[tuple[str, ...], list[Linear], Tensor]:
    """Names and maps of criteria and quantiles; and (examples, criteria) cross-fitted predictions, for a gate."""
    report("attributes", 0, 1, {})
    table = targets.ratings(data, data.criteria)
    table[fold < 0] = np.nan
    criteria = targets.told_apart(table, data.criteria) if recipe.extras.attributes or recipe.extras.gate else []
    share = _share(PARTS, recipe.heads, embedded, x)
    given = torch.from_numpy(table[:, [data.criteria.index(key) for key in criteria]])
    inside = torch.from_numpy(fold >= 0)
    found = [fitting.fit_ridge(x[inside], given[inside], share, recipe.heads.attribute_l2)]
    predicted = _unseen_criteria(x, given, share, fold, recipe) if recipe.extras.gate else given
    rating, levels = torch.from_numpy(targets.overall(table)), recipe.extras.quantiles
    if levels and len(rating[~rating.isnan()].unique()) > 1:
        found.append(_quantiles(x, rating, share, fold, recipe))
    else:
        levels = ()
    names = (*(f"attribute:{key}" for key in criteria), *(f"quantile:{level:g}" for level in levels))
    return names, found, predicted


def _unseen_criteria(x: Tensor, given: Tensor, share: Tensor, fold: np.ndarray, recipe: Recipe) -> Tensor:
    """(examples, criteria) by ridges that did not see the example's prompt."""
    found, of = torch.zeros(given.shape), torch.from_numpy(fold)
    for n in of.unique().tolist():
        own = (of != n) & (of >= 0)
        found[of == n] = fitting.fit_ridge(x[own], given[own], share, recipe.heads.attribute_l2)(x[of == n])
    return found


def _quantiles(x: Tensor, rating: Tensor, share: Tensor, fold: np.ndarray, recipe: Recipe) -> Linear:
    """Rows whose constants are set so that each holds for prompts not seen, in the share that its level says."""
    levels, l2, of = recipe.extras.quantiles, recipe.heads.attribute_l2, torch.from_numpy(fold)
    over = torch.zeros(len(x), len(levels))
    for n in of[of >= 0].unique().tolist():
        unseen = rating.where(of != n, torch.nan)
        if len(unseen[~unseen.isnan()].unique()) > 1:
            over[of == n] = rating[of == n, None] - fitting.fit_quantiles(x, unseen, levels, share, l2)(x[of == n])
    final, known = fitting.fit_quantiles(x, rating, levels, share, l2), ~rating.isnan()
    shift = torch.stack([over[known, n].quantile(level) for n, level in enumerate(levels)])
    return replace(final, bias=final.bias + shift)


def _step(data: Dataset, embedded: Embedded, fold: np.ndarray, recipe: Recipe) -> Linear | None:
    """The step head, where steps of at least two kinds were judged."""
    label = torch.from_numpy(targets.step_labels(data, targets.bounds(embedded), fold < 0))
    if not recipe.extras.steps or len(label[~label.isnan()].unique()) < 2:
        return None
    x = heads.segment_inputs(embedded)
    return fitting.fit_steps(x, label, _segment_share(embedded, x, recipe.heads), recipe.heads.segment_l2)


# ---- Put together


def _gated(
    problem: Problem, prompts: Tensor | None, rows: tuple[str, ...], criteria: Tensor, recipe: Recipe, report: Report
) -> Gated:
    named = [name.removeprefix("attribute:") for name in rows if name.startswith("attribute:")]
    if not named:
        raise ValueError("a gate mixes criteria, and no criterion was rated in two ways")
    if recipe.extras.verbosity and recipe.extras.verbosity not in named:
        raise ValueError(
            f"nobody rated {recipe.extras.verbosity!r}, so it cannot be taken out; there is {', '.join(named)}"
        )
    if [recipe.extras.verbosity] == named:
        raise ValueError("no criterion is left to be mixed when verbosity is taken out")
    verbosity = named.index(recipe.extras.verbosity) if recipe.extras.verbosity else None
    return gating.fit(problem, prompts, criteria, verbosity, report)


def _joined(center: Tensor, members: Linear, rows: Sequence[Linear], categories: int) -> Linear:
    """Preference, criteria, quantiles and the segments' mean logits as rows of one linear map."""
    width = len(center)
    copies = torch.zeros(categories, width)
    copies[:, width - categories :] = torch.eye(categories)
    every = [members, *rows, Linear(copies, torch.zeros(width), torch.zeros(categories))]
    bias = [one.bias + one.weights @ (center - one.center) for one in every]
    return Linear(torch.cat([one.weights for one in every]), center, torch.cat(bias))


def _calibrated(
    model: RewardModel, embedded: Embedded, prompts: Tensor | None, problem: Problem, unseen: Tensor
) -> RewardModel:
    """With its length curve, its temperature, and the mean and deviation of its scores on the training examples."""
    inside = problem.fold >= 0
    combined = unseen[:, 0] if model.gate else ensemble.combine(unseen, model.extras)
    if model.extras.length_calibration:
        combined = combined - _curve(problem.tokens[inside], combined[inside])(problem.tokens)
        scores = model(embedded, prompts)[inside, 0]
        model = replace(model, curve=_curve(problem.tokens[inside], scores))
    pairs = problem.pairs
    tau = fitting.temperature(preference.margins(combined, pairs), pairs.p, pairs.weight)
    scores = model(embedded, prompts)[inside, 0]
    return replace(model, temperature=tau, mean=float(scores.mean()), std=float(scores.std(correction=0)))


def _curve(tokens: Tensor, scores: Tensor) -> Curve:
    return Curve(*(torch.from_numpy(one).float() for one in calibration.length_curve(tokens.numpy(), scores.numpy())))
