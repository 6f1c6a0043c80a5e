"""Shapley values of a response's units: what each adds to the score on average over all orders they could come in.

Exact by all 2^M subsets for up to EXACT units, else by antithetic orders drawn at random, with a standard error for
each unit; where units are marked stretches, those of a sentence stay together in an order (Owen 1977). A subset's text
is its units in their places, the others deleted, so that the values sum to r(response) − r(nothing).
"""

import numpy as np

from ..encode import Encoded
from ..segments import Bounds
from ..types import Example, Report, TokenAttribution, silent
from . import coalitions, worth
from .told import by_unit
from .units import MOST, by_sentence, units
from .worth import Model

EXACT = 10  # units
TEXTS, TOKENS = 2**EXACT, 2**17  # that orders drawn at random may read, about


def shapley(
    model: Model, example: Example, head: str, *, most: int = MOST, seed: int = 0, report: Report = silent
) -> TokenAttribution:
    """Units are cut as units.units says; the baseline is the score of the empty response, the residual rounding."""
    backbone = worth.reader(model)
    encoded = backbone.encoder.encode(example)
    bounds = units(example, encoded.offsets, most)
    drawn = _orders(example, encoded, bounds, seed) if len(bounds) > EXACT else None
    subsets = range(2 ** len(bounds)) if drawn is None else {s for order in drawn for s in coalitions.prefixes(order)}
    known = worth.deleted(model, example, head, bounds, subsets, report)
    if drawn is None:
        values, errors = coalitions.shapley(np.array([known[subset] for subset in subsets])), None
    else:
        values, errors = coalitions.sampled(drawn, known)
    score = known[2 ** len(bounds) - 1]
    named = {"head": head, "method": "shapley", "baseline": known[0], "score": score, "texts": len(known)}
    return by_unit(backbone, example, encoded, bounds, values, errors, **named)


def _orders(example: Example, encoded: Encoded, bounds: Bounds, seed: int) -> np.ndarray:
    """At least four pairs of orders: fewer have no standard error to speak of. A text on the way is half as long."""
    texts = min(TEXTS, TOKENS // (len(encoded.ids) - encoded.tokens // 2))
    groups = by_sentence(example.response, bounds) if example.spans else [0] * len(bounds)
    return coalitions.orders(groups, max(4, texts // (2 * len(bounds))), seed)
