"""The border between rows and torch: frozen values, nothing else. PURE: no Django, no torch.

Offsets are Unicode code points into the raw response text. A margin is score(first) − score(second).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

PREFERENCE = "preference"  # other heads are named "attribute:KEY" and "segment:KEY"
LENGTH_HEAD = "length"  # ODIN's second head, what goes with length; the preference is without it


@dataclass(frozen=True)
class SpanLabel:
    start: int
    end: int
    category: str


@dataclass(frozen=True)
class StepLabel:
    """One step of a response, from start to end, and what people said of it: −1 wrong, 0 neutral, 1 right."""

    start: int
    end: int
    label: float  # a mean over raters


@dataclass(frozen=True)
class Example:
    """One response with its prompt, and what people said about it alone."""

    key: str  # the caller's name for it, e.g. the response id
    group: str  # sha256 of the prompt: splits and folds go by it
    turns: tuple[tuple[str, str], ...]  # (role, content)
    response: str
    context: tuple[str, ...] = ()  # passages the answerer was given
    spans: tuple[SpanLabel, ...] | None = None  # None: nobody looked; (): looked, nothing to mark
    ratings: Mapping[str, float] = field(default_factory=dict)  # criterion → mean rating; missing: absent
    steps: tuple[StepLabel, ...] | None = None  # None: nobody judged its steps


@dataclass(frozen=True)
class Comparison:
    """One rater's verdict on two examples (positions in Dataset.examples), in the order shown."""

    first: int
    second: int
    p: float  # 1 first preferred, 0 second preferred, .5 tie; soft values allowed
    weight: float = 1.0
    strength: int | None = None  # 1 slightly, 2 better, 3 much better
    rater: str = ""  # who, under a name that means nothing outside the data set; "": not known
    probability: float = 1.0  # with which its task was chosen to be judged


@dataclass(frozen=True)
class Ranking:
    """One rater's order of two or more examples: groups of equals, best first. Its pairs are Comparisons as well."""

    groups: tuple[tuple[int, ...], ...]  # positions in Dataset.examples
    shown: tuple[int, ...]  # the same positions in the order shown; those in no group were not ranked
    weight: float = 1.0
    rater: str = ""


@dataclass(frozen=True)
class Dataset:
    """Training and held-out comparisons over one list of examples; a group is in one of them, never both."""

    examples: Sequence[Example]
    train: Sequence[Comparison]
    test: Sequence[Comparison]
    categories: tuple[str, ...] = ()  # of spans
    criteria: tuple[str, ...] = ()  # of ratings
    test_groups: frozenset[str] = frozenset()  # groups held out, also from segment and attribute heads
    rankings: Sequence[Ranking] = ()  # the training verdicts whole, for objectives of rankings
    reliability: Mapping[str, float] = field(default_factory=dict)  # rater → 0 … 1, where it is known


# report(stage, done, total, metrics): called often; may raise to cancel the work.
Report = Callable[[str, int, int, Mapping[str, float]], None]


def silent(stage: str, done: int, total: int, metrics: Mapping[str, float]) -> None:
    """A Report that says nothing."""


@dataclass(frozen=True)
class HeldOut:
    """Predictions on what the heads never saw; metrics and intervals are made from these by the caller."""

    margins: np.ndarray  # (pairs,) temperature not applied, order effect left out
    p: np.ndarray  # (pairs,) as in Comparison
    first: np.ndarray  # (pairs,) positions in Dataset.examples
    second: np.ndarray
    segments: Mapping[str, tuple[np.ndarray, np.ndarray]]  # category → (logits, labels 0/1)
    attributes: Mapping[str, tuple[np.ndarray, np.ndarray]]  # criterion → (predicted, mean rating)
    steps: tuple[np.ndarray, np.ndarray] | None = None  # (P(not wrong), label −1 … 1)
    quantiles: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)  # level → (predicted, rating)


@dataclass(frozen=True)
class Scored:
    """Scores of a list of examples, in its order."""

    heads: Mapping[str, np.ndarray]  # head → (examples,) float32
    tokens: np.ndarray  # (examples,) response tokens under the model's encoding
    truncated: np.ndarray  # (examples,) bool


@dataclass(frozen=True)
class TokenValue:
    text: str
    start: int  # into the raw response for part "response"; into the prompt as encoded for "prompt"
    end: int
    part: str  # "prompt", "response" or "special"
    value: float


@dataclass(frozen=True)
class UnitValue:
    """A stretch of the response and what it is worth."""

    start: int
    end: int
    value: float
    error: float | None = None  # standard error, where the value is an estimate


@dataclass(frozen=True)
class TokenAttribution:
    """baseline + Σ features + Σ tokens (or units, or layers) + residual = score, where a method adds up."""

    head: str
    method: str  # a key of attribution.METHODS
    tokens: tuple[TokenValue, ...]
    features: Mapping[str, float]  # contributions that belong to no token, e.g. a surface feature
    baseline: float
    residual: float
    score: float
    units: tuple[UnitValue, ...] = ()
    layers: tuple[tuple[str, float], ...] = ()  # in the order in which they come
    cost: Mapping[str, float] = field(default_factory=dict)  # tokens read by the backbone, seconds, nodes
