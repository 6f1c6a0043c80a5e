"""Fit every head of a reward model on a frozen backbone."""

import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import features, heads, preference
from .backbone import Backbone
from .cache import Embedded
from .embed import embed
from .heads import Linear, Preference, RewardModel
from .recipe import Heads, Recipe
from .segments import label
from .types import PREFERENCE, Comparison, Dataset, HeldOut, Report, silent

PARTS = ("embeddings", "surface", "cosines", "segments")


@dataclass(frozen=True)
class Trained:
    """A model, what it predicts on the held-out part, and how it came about."""

    model: RewardModel
    held_out: HeldOut
    seconds: Mapping[str, float]  # embed, fit, total
    info: Mapping[str, object] = field(default_factory=dict)


def fit_heads(
    data: Dataset, backbone: Backbone, recipe: Recipe, cache_dir: Path | None, report: Report = silent
) -> Trained:
    """Embed (or read from the cache) and fit. Raises ValueError when there is nothing to learn a preference from."""
    if not data.train:
        raise ValueError("there is no comparison to train on")
    start = time.monotonic()
    embedded = embed(backbone, data.examples, recipe.heads.rule, cache_dir, report)
    middle = time.monotonic()
    with _one_thread():
        trained = fit_embedded(data, embedded, backbone, recipe, report)
    end = time.monotonic()
    seconds = {"embed": middle - start, "fit": end - middle, "total": end - start}
    return Trained(trained.model, trained.held_out, seconds, trained.info)


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
    data: Dataset, embedded: Embedded, backbone: Backbone, recipe: Recipe, report: Report = silent
) -> Trained:
    """The same from embeddings alone: a second of work."""
    own = recipe.heads
    fold, held = _folds(data, own.folds)
    categories, labels = _segment_labels(data, embedded, held)
    segment, logits = _cross_fit(embedded, labels, fold, own, report)
    x = heads.response_inputs(embedded, logits)
    first, second, p, count = _columns(data.train)
    pairs = preference.Pairs(
        x[first] - x[second], p, count, torch.from_numpy(fold)[first], recipe.preference.order != "none"
    )
    fitted = preference.fit(pairs, _share(own.parts, own, embedded, x), own.l2, report)
    report("attributes", 0, 1, {})
    criteria, ratings = _ratings(data, held)
    share = _share(PARTS, own, embedded, x)
    attributes = heads.fit_ridge(x[~held], ratings[~held], share, own.attribute_l2)
    model = RewardModel(
        backbone_name=backbone.name,
        backbone_hash=backbone.hash,
        encode_hash=backbone.encoder.hash,
        rule=own.rule,
        categories=categories,
        heads=(PREFERENCE, *(f"attribute:{key}" for key in criteria), *(f"segment:{key}" for key in categories)),
        segment=segment,
        response=_response_heads(fitted.head, attributes, x[~held].mean(0), len(categories)),
        temperature=fitted.temperature,
        encoding=backbone.encoder.encoding,
    )
    scores = model(embedded)[~held, 0]
    model = replace(model, mean=float(scores.mean()), std=float(scores.std(correction=0)))
    return Trained(model, held_out(model, data, embedded), {}, _info(data, embedded, fitted, model))


def _info(data: Dataset, embedded: Embedded, fitted: preference.Fitted, model: RewardModel) -> dict[str, object]:
    """What is worth knowing of the fit, as plain values."""
    wanted = [f"attribute:{key}" for key in data.criteria] + [f"segment:{key}" for key in data.categories]
    return {
        "order_gamma": fitted.head.gamma,
        "tie_theta": float(np.exp(fitted.head.alpha)),
        "temperature": fitted.temperature,
        "l2": fitted.l2,
        "loss": fitted.curve,
        "truncated": int((embedded.sizes[:, 2] > 0).sum()),
        "without_head": [name for name in wanted if name not in model.heads],
    }


def held_out(model: RewardModel, data: Dataset, embedded: Embedded) -> HeldOut:
    """What the model says of the test comparisons, and of the spans and ratings of the held-out groups."""
    scores = model(embedded).numpy()
    held = _held(data)
    first, second, p, _ = _columns(data.test)
    _, labels = _segment_labels(data, embedded, ~held, model.categories)
    logits = model.logits(embedded).numpy()
    ratings = _rating_table(data, [key for key in data.criteria if f"attribute:{key}" in model.heads])
    segments, attributes = {}, {}
    for n, key in enumerate(model.categories):
        known = labels[:, n].numpy() >= 0
        segments[key] = (logits[known, n], labels[known, n].numpy())
    for key, column in ratings.items():
        known = held & ~np.isnan(column)
        attributes[key] = (scores[known, model.heads.index(f"attribute:{key}")], column[known])
    margins = scores[first, 0] - scores[second, 0]
    return HeldOut(margins, p.numpy(), first.numpy(), second.numpy(), segments, attributes)


def _held(data: Dataset) -> np.ndarray:
    """(examples,) whether the example's group is held out."""
    groups = set(data.test_groups)
    groups |= {data.examples[n].group for pair in data.test for n in (pair.first, pair.second)}
    return np.array([example.group in groups for example in data.examples], dtype=bool)


def _folds(data: Dataset, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """(examples,) the fold of each training example, −1 where held out; and whether it is. Equal groups, equal fold."""
    held = _held(data)
    groups = sorted({one.group for one, out in zip(data.examples, held, strict=True) if not out}, key=_scatter)
    place = {group: n % folds for n, group in enumerate(groups)}
    return np.array([place.get(example.group, -1) for example in data.examples]), held


def _scatter(group: str) -> tuple[int, str]:
    return zlib.crc32(group.encode()), group


def _columns(pairs: Sequence[Comparison]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """first, second, p, weight"""
    first = torch.tensor([pair.first for pair in pairs], dtype=torch.long)
    second = torch.tensor([pair.second for pair in pairs], dtype=torch.long)
    p = torch.tensor([pair.p for pair in pairs], dtype=torch.float32)
    return first, second, p, torch.tensor([pair.weight for pair in pairs], dtype=torch.float32)


def _share(parts: Sequence[str], recipe: Heads, embedded: Embedded, x: Tensor) -> Tensor:
    """(inputs,) prior standard deviation of each standardised input's weight; 0 leaves a part out."""
    width = embedded.segments.shape[1]
    sizes = (2 * width, len(features.SURFACE), len(features.COSINES), x.shape[1])
    each = (recipe.embedding_share / width**0.5, 1.0, 1.0, 1.0)
    shares = [np.full(size, one * (part in parts)) for size, one, part in zip(sizes, each, PARTS, strict=True)]
    return torch.from_numpy(np.concatenate(shares)[: x.shape[1]]).float()


# ---- Segments


def _segment_labels(
    data: Dataset, embedded: Embedded, without: np.ndarray, categories: Sequence[str] | None = None
) -> tuple[tuple[str, ...], Tensor]:
    """Categories seen both ways (or those given), and (segments, categories) labels.

    A label is −1 where the category says nothing, where `without` (examples,) is set, and where nobody looked.
    """
    wanted = data.categories if categories is None else categories
    found = np.full((len(embedded.bounds), len(wanted)), -1, dtype=np.int8)
    ends = np.cumsum(embedded.sizes[:, 0])
    for n, example in enumerate(data.examples):
        if example.spans is not None and not without[n]:
            rows = slice(ends[n] - embedded.sizes[n, 0], ends[n])
            for c, key in enumerate(wanted):
                found[rows, c] = label(embedded.bounds[rows], example.spans, key)
    if categories is None:
        kept = [c for c in range(len(wanted)) if {0, 1} <= set(found[:, c])]
        wanted, found = tuple(wanted[c] for c in kept), found[:, kept]
    return tuple(wanted), torch.from_numpy(found)


def _cross_fit(
    embedded: Embedded, labels: Tensor, fold: np.ndarray, recipe: Heads, report: Report
) -> tuple[Linear, Tensor]:
    """The segment heads, and (segments, categories) logits that no training segment helped to fit for itself."""
    x = heads.segment_inputs(embedded)
    width = embedded.segments.shape[1]
    share = torch.ones(x.shape[1])
    share[:width] = recipe.embedding_share / width**0.5
    final = heads.fit_segments(x, labels, share, recipe.segment_l2)
    logits = final(x)
    of = torch.from_numpy(fold[embedded.owner])
    for n in range(recipe.folds):
        report("segments", n + 1, recipe.folds + 1, {})
        without = labels.clone()
        without[of == n] = -1
        logits[of == n] = heads.fit_segments(x, without, share, recipe.segment_l2)(x[of == n])
    zero = torch.tensor([heads.best_call(column, truth) for column, truth in zip(logits.T, labels.T, strict=True)])
    return replace(final, bias=final.bias - zero), logits - zero


# ---- Attributes


def _rating_table(data: Dataset, criteria: Sequence[str]) -> dict[str, np.ndarray]:
    """criterion → (examples,) mean rating, NaN where nobody rated."""
    return {key: np.array([one.ratings.get(key, np.nan) for one in data.examples]) for key in criteria}


def _ratings(data: Dataset, held: np.ndarray) -> tuple[list[str], Tensor]:
    """Criteria that differ between at least two training examples, and (examples, criteria) ratings."""
    table = _rating_table(data, data.criteria)
    kept = [key for key, column in table.items() if len(set(column[~held & ~np.isnan(column)])) > 1]
    columns = [table[key] for key in kept] or [np.empty((0, len(held)))]
    return kept, torch.from_numpy(np.vstack(columns).T).float()


def _response_heads(chosen: Preference, attributes: Linear, center: Tensor, categories: int) -> Linear:
    """Preference, attributes and the segments' mean logits as rows of one linear map."""
    width = len(center)
    copies = torch.zeros(categories, width)
    copies[:, width - categories :] = torch.eye(categories)
    weights = torch.cat([chosen.weights[None], attributes.weights, copies])
    # The preference is 0 at the centre; a mean logit is itself.
    bias = torch.cat(
        [torch.zeros(1), attributes.bias + attributes.weights @ (center - attributes.center), copies @ center]
    )
    return Linear(weights, center, bias)
