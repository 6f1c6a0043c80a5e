"""What a project asks of its raters. PURE: pydantic models, no Django.

A schema is stored as JSON, one row per version; a judgement keeps the number of the one it was made under.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Severity = Annotated[int, Field(ge=1, le=3)] | None  # of what a rater marks: slight, serious, severe
STRENGTHS = {1: "slightly better", 2: "better", 3: "much better"}


class Part(BaseModel):
    """Base of all parts: unknown fields are mistakes, not extensions."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Category(Part):
    """A kind of error that a rater can mark on a response."""

    key: Key
    label: str = Field(min_length=1, max_length=60)
    description: str = ""


class Criterion(Part):
    """One line of the rubric: a Likert scale from low to high, with words for some of the levels."""

    key: Key
    label: str = Field(min_length=1, max_length=60)
    description: str = ""
    low: int = 1
    high: int = 5
    anchors: dict[int, str] = {}
    weight: float = 1.0

    @model_validator(mode="after")
    def _scale(self) -> "Criterion":
        if not self.low < self.high <= self.low + 9:
            raise ValueError(f"criterion {self.key!r}: high must be 1 to 9 above low")
        return self


class Schema(Part):
    """Preference scale, span categories, rubric, and what else is asked."""

    strengths: Literal[1, 3] = 3  # 1: better / worse; 3: slightly, better, much better
    categories: tuple[Category, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    omissions: bool = True  # "something is missing here"
    rationale: Literal["off", "optional", "required"] = "optional"
    safety: tuple[Category, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> "Schema":
        for name in ("categories", "criteria", "safety"):
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
