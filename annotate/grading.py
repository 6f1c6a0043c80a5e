"""An answer held against the known one. PURE: JSON values in, right or wrong out.

Only what the known answer says is graded, so a gold task may ask for the verdict alone, or for one mark.
"""

from collections.abc import Mapping, Sequence

from annotate.schema import Criterion, Schema

Json = Mapping[str, object]


def grade(answer: Json, known: Json, schema: Schema) -> dict[str, bool]:
    """{what was asked: was it right?}, in the order of the page.

    Keys: outcome, strength, ratings:<response>:<criterion>, spans:<index in the known answer>, steps:<response>,
    safety:<response>. Both answers are as a rater sends them, or as a judgement keeps them.
    """
    return {
        "outcome": _verdict(answer) == _verdict(known),
        **_strength(answer, known),
        **_ratings(answer, known, schema),
        **_spans(answer, known),
        **_steps(answer, known),
        **_safety(answer, known),
    }


def _part(answer: Json, name: str) -> dict[str, object]:
    """A mapping by response; its keys are numbers before they were stored, and text afterwards."""
    return {str(key): value for key, value in (answer.get(name) or {}).items()}


def _verdict(answer: Json) -> tuple[object, ...]:
    """The outcome and, of a ranking, who stands at its top."""
    ranking = answer.get("ranking") or []
    top = sorted(ranking[0]) if answer.get("outcome") == "ranking" and ranking else []
    return answer.get("outcome"), *top


def _strength(answer: Json, known: Json) -> dict[str, bool]:
    wanted, given = known.get("strength"), answer.get("strength")
    return {} if wanted is None else {"strength": given is not None and abs(given - wanted) <= 1}


def _ratings(answer: Json, known: Json, schema: Schema) -> dict[str, bool]:
    scales, given = {one.key: one for one in schema.criteria}, _part(answer, "ratings")
    return {
        f"ratings:{response}:{key}": _near(given.get(response, {}).get(key), level, scales[key])
        for response, levels in _part(known, "ratings").items()
        for key, level in levels.items()
        if key in scales
    }


def _near(given: float | None, wanted: float, scale: Criterion) -> bool:
    """Within one level; a yes or no exactly; a number within a tenth of its range."""
    slack = {"likert": 1, "yes_no": 0, "number": (scale.high - scale.low) / 10}[scale.kind]
    return given is not None and abs(given - wanted) <= slack


def _spans(answer: Json, known: Json) -> dict[str, bool]:
    marks = answer.get("spans") or []
    wanted = enumerate(known.get("spans") or [])
    return {f"spans:{number}": any(_meets(mark, span) for mark in marks) for number, span in wanted}


def _meets(mark: Json, span: Json) -> bool:
    """The same category, and at least one character in common: people differ about where an error ends."""
    same = all(mark[name] == span[name] for name in ("response", "category"))
    return same and max(mark["start"], span["start"]) < min(mark["end"], span["end"])


def _steps(answer: Json, known: Json) -> dict[str, bool]:
    given = _part(answer, "steps")
    return {
        f"steps:{response}": response in given and first_error(given[response]) == first_error(labels)
        for response, labels in _part(known, "steps").items()
    }


def first_error(labels: Sequence[int | None]) -> int | None:
    """Index of the first step that is bad; None when none is."""
    return next((number for number, label in enumerate(labels) if label == -1), None)


def _safety(answer: Json, known: Json) -> dict[str, bool]:
    """The same harms, however severe."""
    given = _part(answer, "safety")
    return {
        f"safety:{response}": response in given and set(given[response]) == set(harms)
        for response, harms in _part(known, "safety").items()
    }
