"""What becomes of a raw preference score: the steps of a version, in order. PURE numpy: no Django, no torch.

A step sees the raw scores r(x, y) and, where it compares, r_ref(x): a number made of the scores that reference answers
to the same prompt x got from the same version. Reference scores go through the steps before it, as the score does.
Where no reference of a prompt is known the result is NaN: not defined, and never a silent 0.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

RAW = "raw"  # the head that keeps the score as it was before the steps
LARGEST = float(np.finfo(np.float32).max)
EVERY = ""  # the source that stands for all answers to a prompt

Finite = Annotated[float, Field(allow_inf_nan=False)]
References = Mapping[str, Mapping[str, np.ndarray]]  # source → prompt → (answers,) raw scores


class Formula(NamedTuple):
    """What people see of a step."""

    title: str
    text: str
    source: str


FORMULAS = {
    "standardise": Formula("Standardise", "(r − mean) / sd", "mean and sd over the training responses"),
    "temperature": Formula("Temperature", "r / T", "T fitted so that σ(Δ/T) is the share that prefers"),
    "baseline": Formula("Per-prompt baseline", "r − r_ref(x)", "Shen et al., arXiv 2403.07708"),
    "delta": Formula(
        "Difference to a reference answer", "r(x, y) − r(x, y_ref)", "y_ref: the answer of a named source"
    ),
    "log_sigmoid": Formula("Log-sigmoid centring", "ln σ(r − r_ref(x))", "Wang et al., arXiv 2402.00742"),
    "clip": Formula("Clip", "min(max(r, low), high)", "keeps outliers from leading a policy"),
}


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Standardise(_Step):
    name: Literal["standardise"]
    mean: Finite
    std: Finite = Field(gt=0)


class Temperature(_Step):
    name: Literal["temperature"]
    value: Finite = Field(gt=0)


class _Compared(_Step):
    of: Literal["mean", "quantile"] = "mean"
    quantile: Finite = Field(0.85, ge=0, le=1)
    source: str = Field(EVERY, max_length=120)  # whose answers are the references

    def reference(self, scores: np.ndarray) -> float:
        """r_ref of one prompt; NaN when it has no scores."""
        if not len(scores):
            return np.nan
        return float(scores.mean() if self.of == "mean" else np.quantile(scores, self.quantile))


class Baseline(_Compared):
    name: Literal["baseline"]


class LogSigmoid(_Compared):
    name: Literal["log_sigmoid"]
    of: Literal["mean", "quantile"] = "quantile"


class Delta(_Compared):
    """The difference to the answer of one source; several answers of it are averaged."""

    name: Literal["delta"]
    of: Literal["mean"] = "mean"
    source: str = Field(min_length=1, max_length=120)


class Clip(_Step):
    name: Literal["clip"]
    low: Finite | None = None
    high: Finite | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Clip":
        if self.low is None and self.high is None:
            raise ValueError("clip needs low, high or both")
        if None not in (self.low, self.high) and self.low >= self.high:
            raise ValueError("low must be less than high")
        return self


Step = Standardise | Temperature | Baseline | Delta | LogSigmoid | Clip
_STEPS = TypeAdapter(list[Annotated[Step, Field(discriminator="name")]])


def _log_sigmoid(x: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # NaN stays NaN, without a word
        return -np.logaddexp(0.0, -x)


# (step, values, r_ref) → values
FUNCTIONS: dict[str, Callable[[Step, np.ndarray, np.ndarray | float], np.ndarray]] = {
    "standardise": lambda step, r, ref: (r - step.mean) / step.std,
    "temperature": lambda step, r, ref: r / step.value,
    "baseline": lambda step, r, ref: r - ref,
    "delta": lambda step, r, ref: r - ref,
    "log_sigmoid": lambda step, r, ref: _log_sigmoid(r - ref),
    "clip": lambda step, r, ref: np.clip(r, step.low, step.high),
}


def read(steps: object) -> list[Step]:
    """The checked steps of a JSON list; ValueError names the place and the field of what is wrong."""
    try:
        return _STEPS.validate_python(steps)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"transforms.{place}: {first['msg'].removeprefix('Value error, ')}") from None


def sources(steps: Sequence[Step]) -> list[str]:
    """Whose answers the steps compare with, each once."""
    return list(dict.fromkeys(step.source for step in steps if isinstance(step, _Compared)))


def transformed(steps: Sequence[Step], raw: np.ndarray, prompts: Sequence[str], references: References) -> np.ndarray:
    """(n,) float32 raw scores of answers to `prompts` → (n,) float32; NaN where a reference is not known."""
    values = np.asarray(raw, dtype=np.float64)
    known = {
        source: {prompt: np.asarray(references.get(source, {}).get(prompt, ()), float) for prompt in set(prompts)}
        for source in sources(steps)
    }
    for step in steps:
        if not isinstance(step, _Compared):
            values = _after(step, values, 0.0)
            known = {s: {x: _after(step, r, 0.0) for x, r in of.items()} for s, of in known.items()}
            continue
        ref = {prompt: step.reference(scores) for prompt, scores in known[step.source].items()}
        values = _after(step, values, np.array([ref[prompt] for prompt in prompts]))
        known = {s: {x: _after(step, r, ref[x]) for x, r in of.items()} for s, of in known.items()}
    return np.clip(values, -LARGEST, LARGEST).astype(np.float32)


def _after(step: Step, r: np.ndarray, reference: np.ndarray | float) -> np.ndarray:
    """One step, held to what float32 can say: JSON and databases have no infinity."""
    with np.errstate(over="ignore"):
        return np.clip(FUNCTIONS[step.name](step, r, reference), -LARGEST, LARGEST)
