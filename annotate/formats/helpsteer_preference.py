"""HelpSteer2-Preference (arXiv 2410.01257) and HelpSteer3 (2505.11475): −3 to 3, below 0 the first is better. PURE."""

from annotate.formats.fields import objects, rest, text, whole
from annotate.formats.helpsteer import conversation
from annotate.formats.messages import turns
from annotate.formats.pairs import signed
from annotate.formats.record import Record, make

TWO = ("prompt", "response_1", "response_2", "three_most_similar_preferences", "all_preferences_unprocessed")
THREE = ("context", "response1", "response2", "individual_preference")


def record(row: dict) -> Record:
    """The item of one row, with a verdict for each rater, or the whole's where the file names none."""
    return _third(row) if "response1" in row else _second(row)


def _second(row: dict) -> Record:
    raters = objects(row, "three_most_similar_preferences")
    verdicts = [_said(one, "strength", "statement", "elaboration") for one in raters]
    verdicts = verdicts or [_said(row, "preference_strength", "preference_statement", "preference_elaboration")]
    answers = [{"text": text(row, name)} for name in ("response_1", "response_2")]
    return make(
        turns=conversation(text(row, "prompt")), responses=answers, judgements=verdicts, metadata=rest(row, *TWO)
    )


def _third(row: dict) -> Record:
    raters = objects(row, "individual_preference")
    verdicts = [_said(one, "score", "reasoning", "feedback1", "feedback2") for one in raters]
    verdicts = verdicts or [_said(row, "overall_preference")]
    answers = [{"text": text(row, name)} for name in ("response1", "response2")]
    return make(turns=turns(row, "context"), responses=answers, judgements=verdicts, metadata=rest(row, *THREE))


def _said(row: dict, strength: str, *reasons: str) -> dict:
    rationale = "\n\n".join(filter(None, (text(row, name, "").strip() for name in reasons)))
    return signed((0, 1), whole(row, strength, -3, 3), rationale=rationale)
