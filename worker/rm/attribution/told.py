"""How values of units become an explanation: of units as they are, and of tokens by equal shares of their unit."""

from collections.abc import Sequence

import numpy as np

from ..backbone import Backbone
from ..encode import Encoded
from ..segments import Bounds
from ..types import Example, TokenAttribution, UnitValue
from .tokens import named
from .units import holding


def by_unit(
    backbone: Backbone,
    example: Example,
    encoded: Encoded,
    bounds: Bounds,
    values: Sequence[float],
    errors: Sequence[float] | None = None,
    *,
    head: str,
    method: str,
    baseline: float,
    score: float,
    texts: int,
) -> TokenAttribution:
    """The residual is what the values leave of score − baseline; `texts` were scored for it."""
    each = [float(error) for error in errors] if errors is not None else [None] * len(bounds)
    units = tuple(UnitValue(*bound, float(v), e) for bound, v, e in zip(bounds, values, each, strict=True))
    residual = score - baseline - sum(unit.value for unit in units)
    tokens = named(backbone, example, encoded, _shared(encoded, bounds, values).tolist())
    return TokenAttribution(head, method, tokens, {}, baseline, residual, score, units, cost={"texts": texts})


def _shared(encoded: Encoded, bounds: Bounds, values: Sequence[float]) -> np.ndarray:
    """(tokens,) values; prompt and special tokens have none."""
    found = np.zeros(len(encoded.ids))
    if bounds:
        of = holding(bounds, encoded.offsets)
        found[slice(*encoded.response_span)] = (np.asarray(values) / np.bincount(of, minlength=len(bounds)))[of]
    return found
