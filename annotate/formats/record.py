"""What every format is read into: one item with its responses and the judgements that came with it. PURE.

Responses are named by their place in the record, from 0. Offsets are Unicode code points into the raw response.
A record that exists is consistent: every place exists, every quote is what stands at its offsets.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from annotate.schema import Key, Part, Severity, StepLabel

# Empty lists and objects come from factories: pydantic copies a default deeply, for each of a million records.
Words = Annotated[str, StringConstraints(pattern=r"\S")]
Trimmed = Annotated[str, StringConstraints(strip_whitespace=True)]
Place = Annotated[int, Field(ge=0)]


class Turn(Part):
    role: Literal["system", "user", "assistant"]
    content: str


class Passage(Part):
    title: str = ""
    text: Words


class Step(Part):
    """One step of a response, [start, end) in code points; kind is thought, call, result or what the file says."""

    start: Place
    end: Place
    kind: str = Field("", max_length=40)


class Answer(Part):
    """One response: `source` says who wrote it and is never shown to a rater."""

    text: Words
    source: str = Field("", max_length=120)
    metadata: dict[str, Any] = Field(default_factory=dict)
    steps: list[Step] = Field(default_factory=list)

    @model_validator(mode="after")
    def _ordered(self) -> "Answer":
        ends = [0, *(step.end for step in self.steps)]
        for number, (step, before) in enumerate(zip(self.steps, ends, strict=False), 1):
            if not before <= step.start < step.end <= len(self.text):
                raise ValueError(f"step {number} at {step.start}–{step.end} overlaps another or lies outside the text")
        return self


class Span(Part):
    response: Place
    start: Place
    end: Place
    quote: Words
    category: Key
    severity: Severity = None
    note: str = ""
    correction: str = ""


def in_order(spans: list[Span]) -> list[Span]:
    """As a reader meets them, so that equal verdicts are equal records."""
    return sorted(spans, key=lambda span: (span.response, span.start, span.end, span.category, span.note))


class Omission(Part):
    """Something is missing from a response, `at` an offset or anywhere."""

    response: Place
    at: Place | None = None
    note: Words
    severity: Severity = None


class TurnMark(Part):
    """What a rater says of one turn of the conversation: bad, neutral or good, and why."""

    label: StepLabel = None
    note: str = Field("", max_length=5000)


class Verdict(Part):
    """One rater's judgement of the responses in `shown`, left to right; those that `ranking` lacks were not ranked."""

    shown: list[Place] = Field(default_factory=list)
    outcome: Literal["ranking", "tie", "both_bad", "cannot_judge"]
    ranking: list[list[Place]] = Field(default_factory=list)  # tie-groups, best first
    strength: Annotated[int, Field(ge=1, le=3)] | None = None
    reason: Trimmed = Field("", max_length=500)
    spans: Annotated[list[Span], AfterValidator(in_order)] = Field(default_factory=list)
    omissions: list[Omission] = Field(default_factory=list)
    ratings: dict[str, dict[str, int | float]] = Field(default_factory=dict)
    rationales: dict[str, dict[str, str]] = Field(default_factory=dict)
    principles: list[Key] = Field(default_factory=list)
    steps: dict[str, list[StepLabel]] = Field(default_factory=dict)
    turns: dict[str, TurnMark] = Field(default_factory=dict)
    safety: dict[str, dict[str, int]] = Field(default_factory=dict)
    checked: Annotated[list[Place], AfterValidator(sorted)] = Field(default_factory=list)
    rationale: Trimmed = ""
    corrections: dict[str, Words] = Field(default_factory=dict)
    demonstration: Trimmed = ""
    source: Literal["human", "machine", "imported", "simulated", "adjudicated"] = "imported"
    kind: Literal["normal", "gold", "qualification", "repeat", "adjudication"] = "normal"
    right: bool | None = None
    served: str = Field("", max_length=130)
    probability: float = Field(1.0, ge=0, le=1)
    active_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    rater: str = Field("", max_length=120)
    weight: float = Field(1.0, ge=0, le=1000)

    @model_validator(mode="after")
    def _consistent(self) -> "Verdict":
        shown = set(self.shown)
        if len(shown) != len(self.shown):
            raise ValueError("shown names a response twice")
        ranked = [place for group in self.ranking for place in group]
        known = shown if self.outcome == "ranking" else set()
        if len(ranked) != len(set(ranked)) or not set(ranked) <= known or not all(self.ranking):
            raise ValueError(f"ranking must hold {'shown responses, each once' if known else 'nothing'}")
        if known and len(ranked) < min(2, len(shown)):
            raise ValueError("ranking must hold every response of a pair, or two of more")
        if self.outcome == "ranking" and len(shown) > 1 and len(self.ranking) == 1:
            raise ValueError("ranking holds a single tie-group; its outcome is 'tie'")
        if (self.outcome == "cannot_judge") != bool(self.reason.strip()):
            raise ValueError("reason must say why it could not be judged, and nothing else")
        if self.outcome != "ranking" and self.strength is not None:
            raise ValueError("strength belongs to a ranking")
        marked = {mark.response for mark in [*self.spans, *self.omissions]}
        if both := marked & set(self.checked):
            raise ValueError(f"response {min(both)} is checked with nothing to mark, and marked")
        keyed = {place_of(key) for part in self._by_place() for key in part}
        if strangers := (keyed | marked | set(self.checked)) - shown:
            raise ValueError(f"response {min(strangers)} is marked or rated but was not shown")
        return self

    def _by_place(self) -> tuple[dict, ...]:
        return self.ratings, self.rationales, self.steps, self.safety, self.corrections


class Record(Part):
    """One item. The conversation ends with the user's turn, which the responses answer."""

    id: str = Field("", max_length=200)
    turns: list[Turn] = Field(min_length=1)
    context: list[Passage] = Field(default_factory=list)
    responses: list[Answer] = Field(default_factory=list, max_length=1000)  # none: raters write the answer
    metadata: dict[str, Any] = Field(default_factory=dict)
    judgements: list[Verdict] = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> "Record":
        last = self.turns[-1]
        if last.role != "user" or not last.content.strip():
            raise ValueError("the last turn must be the user's and not empty")
        for verdict in self.judgements:
            if (place := max(verdict.shown, default=-1)) >= len(self.responses):
                raise ValueError(f"a judgement shows response {place}, but there are {len(self.responses)}")
            for span in verdict.spans:
                self._check_quote(span)
            for omission in verdict.omissions:
                if omission.at is not None and omission.at > len(self.responses[omission.response].text):
                    raise ValueError(f"an omission at {omission.at} lies outside its response")
            if strangers := [key for key in verdict.turns if place_of(key) >= len(self.turns)]:
                raise ValueError(f"turn {strangers[0]} is marked, but there are {len(self.turns)}")
        return self

    def _check_quote(self, span: Span) -> None:
        text = self.responses[span.response].text
        if not span.start < span.end <= len(text):
            raise ValueError(f"span {span.start}–{span.end} lies outside response {span.response} ({len(text)} long)")
        if text[span.start : span.end] != span.quote:
            raise ValueError(
                f"the quote of span {span.start}–{span.end} is not what response {span.response} says there"
            )


def make(**values: object) -> Record:
    """A checked record, or a ValueError that names the field and the reason in one line."""
    try:
        return Record.model_validate(values, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{field}: {reason}" if field else reason) from None


def place_of(key: str) -> int:
    """The place that a key of `ratings`, `safety` or `corrections` names."""
    if not (key.isascii() and key.isdecimal() and len(key) <= 4):
        raise ValueError(f"{key!r} is not the place of a response")
    return int(key)


def text_sha256(text: str) -> str:
    """Of the text as UTF-8, exactly as shown."""
    return sha256(text.encode()).hexdigest()


def prompt_sha256(turns: Iterable[Turn]) -> str:
    """Of the conversation alone: items that ask the same are in the same split whatever was answered or read."""
    return text_sha256("\x00".join(f"{turn.role}\x00{turn.content}" for turn in turns))


def split_of(prompt_hash: str) -> str:
    """ "test" for a fifth of all prompts, chosen by their hash, so that a prompt is never in both."""
    return "test" if int(prompt_hash[:8], 16) < 0.2 * 16**8 else "train"
