"""What the score loses without each unit of a response, everything else staying: r(y) − r(y without the unit).

Li et al. 2016, arXiv 1612.08220. The method "loo" is the deleted form: the text without the unit, which may read oddly.
The masked form keeps places and length and puts padding there. Neither adds up: the residual holds what units do only
together.
"""

from typing import Literal

from ..types import Example, Report, TokenAttribution, silent
from . import worth
from .told import by_unit
from .units import MOST, units
from .worth import Model

FORMS = {"deleted": worth.deleted, "masked": worth.masked}


def loo(
    model: Model,
    example: Example,
    head: str,
    *,
    form: Literal["deleted", "masked"] = "deleted",
    most: int = MOST,
    report: Report = silent,
) -> TokenAttribution:
    """Units are cut as units.units says; the baseline is the score without any of them."""
    backbone = worth.reader(model)
    encoded = backbone.encoder.encode(example)
    bounds = units(example, encoded.offsets, most)
    whole = 2 ** len(bounds) - 1
    without = [whole ^ (1 << k) for k in range(len(bounds))]
    values = FORMS[form](model, example, head, bounds, [whole, 0, *without], report)
    lost = [values[whole] - values[subset] for subset in without]
    named = {"head": head, "method": "loo", "baseline": values[0], "score": values[whole], "texts": len(values)}
    return by_unit(backbone, example, encoded, bounds, lost, **named)
