"""What a project asks of its raters. PURE: pydantic models, no Django.

A schema is stored as JSON, one row per version; a judgement keeps the number of the one it was made under.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Severity = Annotated[int, Field(ge=1, le=3)] | None  # of what a rater marks: slight, serious, severe
StepLabel = Literal[-1, 0, 1] | None  # bad, neutral, good, not said
STRENGTHS = {1: "slightly better", 2: "better", 3: "much better"}


class Part(BaseModel):
    """Base of all parts: unknown fields are mistakes, not extensions."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Category(Part):
    """A kind of error that a rater can mark on a response, or a kind of harm to look for."""

    key: Key
    label: str = Field(min_length=1, max_length=60)
    description: str = ""


class Criterion(Part):
    """One line of the rubric: a Likert scale with words for its levels, a yes/no check, or a number."""

    key: Key
    label: str = Field(min_length=1, max_length=60)
    description: str = ""
    kind: Literal["likert", "yes_no", "number"] = "likert"
    low: int = 1
    high: int = 5
    anchors: dict[int, str] = {}
    weight: float = Field(default=1.0, ge=0)
    rationale: bool = False  # ask why, beside the level

    @model_validator(mode="after")
    def _scale(self) -> "Criterion":
        if self.kind == "likert" and not self.low < self.high <= self.low + 9:
            raise ValueError(f"criterion {self.key!r}: high must be 1 to 9 above low")
        if not self.low < self.high and self.kind == "number":
            raise ValueError(f"criterion {self.key!r}: high must be above low")
        return self

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest answer; no is 0 and yes is 1."""
        return (0, 1) if self.kind == "yes_no" else (self.low, self.high)

    def accepts(self, value: float) -> bool:
        """Is the value one of the answers? Levels are whole numbers, a number need not be."""
        low, high = self.range
        return low <= value <= high and (self.kind == "number" or value == int(value))


def rubric_mean(criteria: Iterable[Criterion], ratings: Mapping[str, float]) -> float | None:
    """One response's ratings in one number, 0 the worst and 1 the best, by the weights of the criteria.

    Σ w (value − low) / (high − low) / Σ w over the criteria that were rated, so scales of any length count alike.
    None where nothing that weighs was rated; a value that the scale does not have (any more) is left out.
    """
    rated = [(one, ratings[one.key]) for one in criteria if one.key in ratings and one.accepts(ratings[one.key])]
    whole = sum(one.weight for one, _ in rated)
    if not whole:
        return None
    return sum(one.weight * (value - one.range[0]) / (one.range[1] - one.range[0]) for one, value in rated) / whole


class Principle(Part):
    """Something that a rater must apply when comparing; in a ranked list the first one counts most."""

    key: Key
    label: str = Field(min_length=1, max_length=200)
    description: str = ""
    weight: float = Field(default=1.0, ge=0)


class SpanRules(Part):
    """How marks are kept comparable between raters (Wu et al. 2023, Fine-Grained RLHF, annotation guidelines)."""

    shortest: bool = False  # no white space or punctuation at the ends, and no mark around one of its own category
    one_type: bool = False  # marks of two categories never overlap
    priority: bool = False  # where two categories fit, the one that stands first in the schema is taken


class Schema(Part):
    """What a task shows at once, and everything that is asked about it."""

    arrangement: Literal["pairs", "all", "single"] = "pairs"  # each pair of responses, all to be ranked, or one alone
    strengths: Literal[1, 3] = 3  # of a pair. 1: better / worse; 3: slightly, better, much better
    partial: bool = False  # a ranking may leave responses out
    categories: tuple[Category, ...] = ()
    rules: SpanRules = SpanRules()
    criteria: tuple[Criterion, ...] = ()
    omissions: bool = True  # "something is missing here"
    rationale: Literal["off", "optional", "required"] = "optional"
    principles: tuple[Principle, ...] = ()
    weighing: Literal["ranked", "weighted"] = "ranked"  # what the order and the weights of principles mean
    safety: tuple[Category, ...] = ()
    steps: Literal["off", "each", "first_error"] = "off"  # labels −1, 0, +1 of a response's steps
    turns: bool = False  # the same labels, and a note, on the assistant's turns of the conversation
    rewrite: bool = False  # a better version of a response
    demonstration: bool = False  # the answer the rater would have given

    @model_validator(mode="after")
    def _distinct(self) -> "Schema":
        for name in ("categories", "criteria", "principles", "safety"):
            keys = [part.key for part in getattr(self, name)]
            if len(keys) != len(set(keys)):
                raise ValueError(f"{name}: a key is used twice")
        return self


DEFAULT = Schema(
    categories=(
        Category(key="wrong", label="Wrong fact", description="Contradicts the context or the world."),
        Category(key="irrelevant", label="Irrelevant", description="Does not help to answer the question."),
        Category(key="repetition", label="Repetition", description="Says again what was said."),
        Category(key="unsupported", label="Unsupported", description="Nothing in the context shows it."),
    ),
    criteria=(
        Criterion(key="helpful", label="Helpfulness", anchors={1: "useless", 5: "all I needed"}),
        Criterion(key="clarity", label="Clarity", anchors={1: "confusing", 5: "clear at once"}),
    ),
)
