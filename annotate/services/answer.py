"""What a rater sends, read strictly and held against the texts and the schema it was made under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pydantic
from django.core.exceptions import ValidationError
from pydantic import Field

from annotate.formats.record import TurnMark
from annotate.schema import Part, Schema, Severity, StepLabel
from annotate.services.marks import check_spans

Note = Annotated[str, Field(max_length=5000)]
Long = Annotated[str, Field(max_length=100_000)]


class Mark(Part):
    """An error span: code points [start, end) of the response's raw text, with the quote as a check."""

    response: int
    start: int = Field(ge=0)
    end: int
    quote: str
    category: str
    severity: Severity = None
    note: Note = ""
    correction: Note = ""


class Omission(Part):
    """Something missing from a response, at a code point or (None) anywhere."""

    response: int
    at: int | None = Field(default=None, ge=0)
    note: Note
    severity: Severity = None


class Answer(Part):
    """One whole answer to one task."""

    outcome: Literal["ranking", "tie", "both_bad", "cannot_judge"]
    ranking: list[list[int]] = Field(default_factory=list)
    strength: int | None = None
    reason: str = Field(default="", max_length=500)
    spans: list[Mark] = Field(default_factory=list, max_length=1000)
    omissions: list[Omission] = Field(default_factory=list, max_length=100)
    ratings: dict[int, dict[str, int | float]] = Field(default_factory=dict)
    rationales: dict[int, dict[str, Note]] = Field(default_factory=dict)
    principles: list[str] = Field(default_factory=list)
    steps: dict[int, list[StepLabel]] = Field(default_factory=dict)
    turns: dict[int, TurnMark] = Field(default_factory=dict)
    safety: dict[int, dict[str, Annotated[int, Field(ge=1, le=3)]]] = Field(
        default_factory=dict
    )  # {} is: looked at, nothing harmful
    checked: list[int] = Field(default_factory=list)
    rationale: str = Field(default="", max_length=20000)
    corrections: dict[int, Long] = Field(default_factory=dict)
    demonstration: Long = ""
    texts_sha256: dict[str, str] = Field(default_factory=dict)
    schema_version: int = 1


@dataclass(frozen=True)
class Shown:
    """What the rater had before them: raw texts by response id, in the order shown, and the hashes."""

    texts: Mapping[int, str]
    sha256: Mapping[str, str]  # {"prompt": …, "<response id>": …}
    steps: Mapping[int, int] = field(default_factory=dict)  # how many steps each response has
    roles: Sequence[str] = ()  # of the turns of the conversation


def read_answer(raw: object) -> Answer:
    """The answer's shape. Raises ValidationError naming the field."""
    try:
        return Answer.model_validate(raw)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("outcome",):
            raise ValidationError({"outcome": "Say which response is better."}) from None
        where = [str(part) for part in first["loc"]] or ["outcome"]
        message = ("At " + ".".join(where) + ": " if len(where) > 1 else "") + first["msg"]
        raise ValidationError({where[0]: message}) from None


def check_answer(answer: Answer, shown: Shown, schema: Schema, *, complete: bool = True) -> Answer:
    """The answer, normalised. Raises ValidationError naming every wrong field.

    `complete` asks for what a person at the page must give: strength, rationale and the hashes of the texts.
    """
    problems = {
        "outcome": _verdict(answer, shown, schema) or _need(not complete or _said(answer, shown), SILENT),
        "strength": _strength(answer, shown, schema, complete),
        "reason": _need(answer.outcome != "cannot_judge" or answer.reason.strip(), "Say why."),
        "spans": check_spans(answer.spans, shown.texts, schema),
        "omissions": _omissions(answer, shown, schema),
        "ratings": _ratings(answer, shown, schema),
        "rationales": _rationales(answer, shown, schema),
        "principles": _principles(answer, shown, schema, complete),
        "steps": _steps(answer, shown, schema),
        "turns": _turns(answer, shown, schema),
        "safety": _safety(answer, shown, schema),
        "checked": _checked(answer, shown),
        "corrections": _rewrites(answer, shown, schema),
        "demonstration": _demonstration(answer, shown, schema, complete),
        "rationale": _rationale(answer, schema, complete),
        "texts_sha256": _need(not complete or answer.texts_sha256 == shown.sha256, STALE),
    }
    if found := {field: text for field, text in problems.items() if text}:
        raise ValidationError(found)
    return _normal(answer, shown, schema)


SILENT = "Nothing is said yet: rate it, mark it, or tick that there is nothing to mark."
STALE = "The texts changed since this page was opened; reload it to see them."


def _need(condition: object, message: str) -> str:
    return "" if condition else message


def _verdict(answer: Answer, shown: Shown, schema: Schema) -> str:
    if answer.outcome != "ranking":
        return ""
    ids, known = [pk for group in answer.ranking for pk in group], set(shown.texts)
    if len(ids) != len(set(ids)) or not set(ids) <= known or not all(answer.ranking):
        return "Rank each response shown, exactly once."
    if len(ids) < min(2, len(known)) or (len(ids) < len(known) and not schema.partial):
        return "Rank each response shown, exactly once." if not schema.partial else "Rank two responses at least."
    return _need(len(answer.ranking) >= min(2, len(known)), "A single group is a tie: say that instead.")


def _said(answer: Answer, shown: Shown) -> bool:
    """Comparing is saying something; of one response alone, or of none, something else must be said."""
    other = (answer.spans, answer.omissions, answer.ratings, answer.steps, answer.safety, answer.checked)
    return answer.outcome != "ranking" or len(shown.texts) > 1 or any((*other, *_written(answer)))


def _written(answer: Answer) -> tuple[object, ...]:
    return answer.turns, answer.corrections, answer.demonstration.strip()


def _strength(answer: Answer, shown: Shown, schema: Schema, complete: bool) -> str:
    """Of a pair; how far apart many responses are, their ranking says."""
    if answer.outcome != "ranking" or len(shown.texts) != 2:
        return ""
    if answer.strength is None:
        return _need(not complete or schema.strengths == 1, "Say how much better it is.")
    return _need(1 <= answer.strength <= schema.strengths, f"A strength is 1 to {schema.strengths}.")


def _omissions(answer: Answer, shown: Shown, schema: Schema) -> str:
    if answer.omissions and not schema.omissions:
        return "This project does not ask what is missing."
    for number, missing in enumerate(answer.omissions, 1):
        if missing.response not in shown.texts:
            return f"Omission {number}: response {missing.response} is not part of this task."
        if missing.at is not None and missing.at > len(shown.texts[missing.response]):
            return f"Omission {number}: {missing.at} is past the end of the response."
        if not missing.note.strip():
            return f"Omission {number}: say what is missing."
    return ""


def _ratings(answer: Answer, shown: Shown, schema: Schema) -> str:
    scales = {criterion.key: criterion for criterion in schema.criteria}
    for response, values in answer.ratings.items():
        if response not in shown.texts:
            return f"Response {response} is not part of this task."
        for key, value in values.items():
            if key not in scales:
                return f"{key!r} is not a criterion of this project; it has: {', '.join(scales) or 'none'}."
            if not scales[key].accepts(value):
                return "{} goes from {} to {}.".format(scales[key].label, *scales[key].range)
    return ""


def _rationales(answer: Answer, shown: Shown, schema: Schema) -> str:
    asked = {criterion.key for criterion in schema.criteria if criterion.rationale}
    known = set(answer.rationales) <= set(shown.texts)
    return _need(known and all(set(v) <= asked for v in answer.rationales.values()), "Not asked in this project.")


def _principles(answer: Answer, shown: Shown, schema: Schema, complete: bool) -> str:
    if not set(answer.principles) <= {principle.key for principle in schema.principles}:
        return "Not a principle of this project."
    compared = answer.outcome == "ranking" and len(shown.texts) > 1
    needed = complete and schema.principles and compared
    return _need(not needed or answer.principles, "Say which principle decided.")


def _steps(answer: Answer, shown: Shown, schema: Schema) -> str:
    if answer.steps and schema.steps == "off":
        return "This project does not ask about steps."
    for response, labels in answer.steps.items():
        if len(labels) != shown.steps.get(response):
            return f"Response {response} has {shown.steps.get(response, 0)} steps, not {len(labels)}."
        if schema.steps == "first_error" and not _first_error(labels):
            return "Up to the first error every step is good, and nothing is said of the steps after it."
    return ""


def _first_error(labels: Sequence[int | None]) -> bool:
    good = next((n for n, label in enumerate(labels) if label != 1), len(labels))
    return good == len(labels) or (labels[good] == -1 and not any(labels[good + 1 :]))


def _turns(answer: Answer, shown: Shown, schema: Schema) -> str:
    if answer.turns and not schema.turns:
        return "This project does not ask about turns."
    known = {n for n, role in enumerate(shown.roles) if role == "assistant"}
    return _need(set(answer.turns) <= known, "Only the assistant's turns can be marked.")


def _rewrites(answer: Answer, shown: Shown, schema: Schema) -> str:
    return _need(set(answer.corrections) <= set(shown.texts), "Not a response of this task.")


def _demonstration(answer: Answer, shown: Shown, schema: Schema, complete: bool) -> str:
    needed = complete and not shown.texts and answer.outcome != "cannot_judge"
    return _need(not needed or answer.demonstration.strip(), "Write the answer that you would give.")


def _safety(answer: Answer, shown: Shown, schema: Schema) -> str:
    keys = {category.key for category in schema.safety}
    known = set(answer.safety) <= set(shown.texts)
    return _need(known and all(set(v) <= keys for v in answer.safety.values()), "Not asked in this project.")


def _checked(answer: Answer, shown: Shown) -> str:
    if not set(answer.checked) <= set(shown.texts):
        return "Not a response of this task."
    marked = {mark.response for mark in answer.spans} | {o.response for o in answer.omissions}
    return _need(not marked & set(answer.checked), "A response with a mark is not one with nothing to mark.")


def _rationale(answer: Answer, schema: Schema, complete: bool) -> str:
    needed = complete and schema.rationale == "required" and answer.outcome != "cannot_judge"
    return _need(not needed or answer.rationale.strip(), "This project asks for a reason in your words.")


def _normal(answer: Answer, shown: Shown, schema: Schema) -> Answer:
    """Fields that the outcome leaves without meaning are emptied, so that equal answers are equal rows."""
    ranked = answer.outcome == "ranking"
    together = [] if answer.outcome == "cannot_judge" else [list(shown.texts)]
    return answer.model_copy(
        update={
            "ranking": answer.ranking if ranked else together,
            "strength": answer.strength if ranked and schema.strengths > 1 and len(shown.texts) == 2 else None,
            "reason": answer.reason.strip() if answer.outcome == "cannot_judge" else "",
            "rationale": "" if schema.rationale == "off" else answer.rationale.strip(),
            "demonstration": answer.demonstration.strip(),
            "checked": sorted(set(answer.checked)),
        }
    )
