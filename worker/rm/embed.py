"""Examples → pooled hidden states and features, each computed once and kept on disk."""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from . import batching, cache, features
from .backbone import Backbone
from .cache import Embedded
from .encode import Encoded
from .segments import RULES, of_tokens
from .types import Example, Report, silent

POOLED = ("whole", "response", "prompt")
_SAVE_EVERY = 30.0  # seconds of work that a killed process may lose
_SLICE = 2048  # examples tokenised at a time


def embed(
    backbone: Backbone,
    examples: Sequence[Example],
    rule: str = "sentence",
    cache_dir: Path | None = None,
    report: Report = silent,
) -> Embedded:
    """Every example in order; those in the cache are read, the others go through the backbone once per text."""
    keys = [key(example) for example in examples]
    folder = cache_dir / folder_name(backbone, rule) if cache_dir else None
    found, missing = cache.read(folder, keys) if folder else ([], set(keys))
    todo = {k: example for k, example in zip(keys, examples, strict=True) if k in missing}
    total = len(set(keys))
    report("embed", total - len(todo), total, {})
    for chunk_keys, chunk in _chunks(backbone, todo, rule, total, report):
        if folder:
            cache.write(folder, chunk_keys, chunk)
        found.append((chunk_keys, chunk))
    return cache.gather(found, keys)


def key(example: Example) -> str:
    """Of everything that the values of an example depend on, besides the backbone and the encoding."""
    text = json.dumps([example.turns, example.context, example.response])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def folder_name(backbone: Backbone, rule: str) -> str:
    """One folder of the cache holds values of one backbone, encoding, cutting rule and version of the features."""
    return f"{backbone.hash[:16]}-{backbone.encoder.hash[:16]}-{rule}-{features.VERSION}"


def _chunks(backbone, todo: dict[str, Example], rule: str, total: int, report: Report):
    """Yield (keys, Embedded) every so often, so that little is lost when the work is cancelled."""
    keys, done = list(todo), total - len(todo)
    for start in range(0, len(keys), _SLICE):
        part = keys[start : start + _SLICE]
        encoded = backbone.encoder.encode_all([todo[k] for k in part])
        lengths = [len(one.ids) for one in encoded]
        ready, rows, saved = [], [], time.monotonic()
        for batch in batching.by_tokens(lengths, batching.TOKENS[backbone.device.type]):
            rows += forward(backbone, [todo[part[n]] for n in batch], [encoded[n] for n in batch], rule)
            ready += [part[n] for n in batch]
            report("embed", done + start + len(ready), total, {})
            if time.monotonic() - saved > _SAVE_EVERY:
                yield ready[-len(rows) :], cache.stack(rows)
                rows, saved = [], time.monotonic()
        if rows:
            yield ready[-len(rows) :], cache.stack(rows)


@torch.inference_mode()
def forward(backbone: Backbone, examples: list[Example], encoded: list[Encoded], rule: str) -> list[Embedded]:
    """One forward pass; one Embedded of length 1 per example."""
    ids, mask = backbone.pad([one.ids for one in encoded])
    return read(backbone, examples, encoded, rule, backbone.hidden(mask, input_ids=ids))


def read(
    backbone: Backbone, examples: list[Example], encoded: list[Encoded], rule: str, hidden: Tensor
) -> list[Embedded]:
    """The same of hidden states (examples, longest, D) that are there already."""
    cut = [segment_bounds(example, one, rule) for example, one in zip(examples, encoded, strict=True)]
    pools = [pooling(one, bounds, backbone.encoder.pooling) for one, bounds in zip(encoded, cut, strict=True)]
    rows, longest = max(map(len, pools)), hidden.shape[1]
    weights = np.zeros((len(pools), rows, longest), dtype=np.float32)
    for n, pool in enumerate(pools):
        weights[n, : pool.shape[0], : pool.shape[1]] = pool
    pooled = torch.bmm(torch.from_numpy(weights).to(hidden.device), hidden)
    pooled[:, 0] = backbone.polished(pooled[:, 0])
    pooled = pooled.cpu().numpy()
    return [
        _row(example, one, bounds, values[: len(POOLED) + len(bounds)])
        for example, one, bounds, values in zip(examples, encoded, cut, pooled, strict=True)
    ]


def segment_bounds(example: Example, encoded: Encoded, rule: str) -> np.ndarray:
    """(segments, 2) code-point ranges of the segments that kept at least one token."""
    bounds = np.array(RULES[rule](example.response), dtype=np.int32).reshape(-1, 2)
    return bounds[np.unique(of_tokens(bounds, encoded.offsets))] if len(bounds) else bounds


def pooling(encoded: Encoded, bounds: np.ndarray, how: str) -> np.ndarray:
    """(3 + segments, tokens) rows that sum to 1: times the hidden states they give POOLED and the segments' means.

    The whole input is pooled by its "last" token, its first ("cls") or the "mean" of all. A part without tokens has a
    row of zeros.
    """
    rows = np.zeros((len(POOLED) + len(bounds), len(encoded.ids)), dtype=np.float32)
    rows[0, {"last": -1, "cls": 0, "mean": slice(None)}[how]] = 1
    rows[1, slice(*encoded.response_span)] = 1
    rows[2, slice(*encoded.prompt_span)] = 1
    if len(bounds):
        segment = of_tokens(bounds, encoded.offsets)
        rows[len(POOLED) + segment, np.arange(*encoded.response_span)] = 1
    return rows / np.maximum(rows.sum(1, keepdims=True), 1)


def _row(example: Example, encoded: Encoded, bounds: np.ndarray, pooled: np.ndarray) -> Embedded:
    own = pooled[len(POOLED) :]
    cosines, of_own = features.likeness(pooled[2], pooled[1], own)
    plain = features.of_segments(example, [tuple(map(int, pair)) for pair in bounds])
    return Embedded(
        pooled=pooled[None, :2].reshape(1, -1),
        surface=np.float32([[*features.surface(example), *cosines]]),
        segments=own,
        segment_features=np.concatenate([plain, of_own], 1),
        bounds=bounds,
        sizes=np.int32([[len(bounds), encoded.tokens, encoded.cut]]),
    )
