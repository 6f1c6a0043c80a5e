"""The ways in which a score is taken apart, for pages that show them and jobs that do it. PURE: no Django, no torch."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Method:
    """One way; `adds_up` where baseline + features + tokens + residual = score with a residual that means something."""

    name: str
    says: str  # what a value is, in a sentence
    cost: str  # in forward passes F of the whole text, a backward pass being two
    source: str
    per: str = "token"  # or "unit": a sentence or span; or "layer"
    adds_up: bool = True


METHODS = {
    "exact": Method(
        "exact decomposition",
        "What each token's hidden state adds to a head that is linear near this text.",
        "1 F",
        "closed form",
    ),
    "ig": Method(
        "integrated gradients",
        "The gradient along the way from padding to the text, added up over Gauss–Legendre nodes.",
        "3 F for each node",
        "Sundararajan et al. 2017, arXiv 1703.01365",
    ),
    "grad": Method(
        "gradient × input",
        "The slope at the text times its distance from padding: the first term of the way there.",
        "3 F",
        "Shrikumar et al. 2017, arXiv 1605.01713",
    ),
    "layers": Method(
        "layer by layer",
        "What each layer of the backbone adds to the score where it is read, the last norm held fixed.",
        "1 F",
        "closed form",
        per="layer",
    ),
    "prefix": Method(
        "prefix reward",
        "What each token changes in the score read there. Off the distribution that the head was trained on.",
        "1 F, causal backbones",
        "closed form",
    ),
    "probe": Method(
        "end-token probe",
        "What each token changes in the score of the text ended there.",
        "about 2 F in one pass for causal backbones, else one F for each prefix",
        "closed form",
    ),
    "loo": Method(
        "leave one out",
        "What the score loses without this stretch of the response.",
        "one F for each unit",
        "Li et al. 2016, arXiv 1612.08220",
        per="unit",
        adds_up=False,
    ),
    "shapley": Method(
        "Shapley values",
        "What this stretch adds on average, over all orders in which the stretches could come.",
        "2^M F up to 10 units, sampled beyond",
        "Shapley 1953; Lundberg & Lee 2017, arXiv 1705.07874",
        per="unit",
    ),
    "abc": Method(
        "attention redistribution",
        "The score itself, shared out by the last layer's attention: every token has the sign of the score.",
        "1 F with eager attention",
        "Chan et al. 2024, arXiv 2402.00782",
    ),
}


class Told(Protocol):
    """An explanation: values of tokens, of stretches or of layers, by the method's kind."""

    method: str
    tokens: list[dict]
    units: list[dict]
    layers: list[dict]


def parts_of(found: Told) -> list[dict]:
    """What the score is shared out over: {"value", …} each."""
    per = METHODS[found.method].per
    if per == "layer":
        return found.layers
    if per == "unit":
        return found.units + [token for token in found.tokens if token["part"] != "response"]
    return found.tokens
