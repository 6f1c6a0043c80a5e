"""UltraFeedback (arXiv 2310.01377): four completions of an instruction, rated by GPT-4 with its reasons. PURE.

These are a machine's judgements, and are kept as such.
"""

from annotate.formats.fields import mapping, number, objects, rest, text
from annotate.formats.pairs import alone
from annotate.formats.record import Record, make

ASPECTS = ("instruction_following", "honesty", "truthfulness", "helpfulness")


def record(row: dict) -> Record:
    """The item of one row; empty and repeated completions are left out."""
    said = {text(one, "response"): one for one in reversed(objects(row, "completions"))}
    kept = [one for one in reversed(said.values()) if one["response"].strip()]
    verdicts = [_verdict(place, one) for place, one in enumerate(kept)]
    return make(
        turns=[{"role": "user", "content": text(row, "instruction")}],
        responses=[_answer(one) for one in kept],
        metadata=rest(row, "instruction", "completions"),
        judgements=[verdict for verdict in verdicts if verdict["ratings"]],
    )


def _answer(one: dict) -> dict:
    metadata = rest(one, "response", "model", "annotations", "critique")
    return {"text": one["response"], "source": text(one, "model", ""), "metadata": metadata}


def _verdict(place: int, one: dict) -> dict:
    marks = mapping(one, "annotations")
    rated = {name: mapping(marks, name) for name in ASPECTS if mapping(marks, name).get("Rating") not in (None, "N/A")}
    ratings = {name: number(aspect, "Rating") for name, aspect in rated.items()}
    reasons = {name: why for name, aspect in rated.items() if (why := _why(aspect))}
    key = str(place)
    said = {"ratings": {key: ratings} if ratings else {}, "rationales": {key: reasons} if reasons else {}}
    return alone(place, source="machine", rater="gpt-4", rationale=text(one, "critique", ""), **said)


def _why(aspect: dict) -> str:
    return text(aspect, "Rationale For Rating", "").strip() or text(aspect, "Rationale", "").strip()
