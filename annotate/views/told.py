"""A judgement in words, for those who may read it."""

from collections.abc import Mapping

from annotate.models import Judgement
from annotate.models.judgement import Outcome
from annotate.schema import STRENGTHS, Schema, rubric_mean

Names = Mapping[int, object]  # response id -> what it is called on the page


def told(judgement: Judgement, names: Names, who: str, schema: Schema) -> dict:
    """All that the judgement says, with responses by their names on the page; ratings with the rubric's mean."""
    by_key = {str(pk): name for pk, name in names.items()}

    def each(values: dict) -> list[tuple]:
        return [(by_key.get(key), value) for key, value in values.items() if value]

    return {
        "row": judgement,
        "who": who,
        "verdict": verdict(judgement, names),
        "shown": [names.get(pk) for pk in judgement.shown_order],
        "spans": [(names.get(span.response_id), span) for span in judgement.spans.all()],
        "omissions": [(names.get(one["response"]), one) for one in judgement.omissions],
        "checked": [names.get(pk) for pk in judgement.checked],
        "ratings": [(name, values, _mean(schema, values)) for name, values in each(judgement.ratings)],
        "rationales": each(judgement.rationales),
        "safety": each(judgement.safety),
        "steps": each(judgement.steps),
        "corrections": each(judgement.corrections),
        "turns": [(int(key) + 1, value) for key, value in judgement.turns.items()],
    }


def _mean(schema: Schema, values: Mapping[str, float]) -> float | None:
    """Of one criterion alone it would say nothing new."""
    return rubric_mean(schema.criteria, values) if len(values) > 1 else None


def verdict(judgement: Judgement, names: Names) -> str:
    """The outcome in words: "2 much better than 1"; names are those of the responses on the page."""
    if judgement.outcome != Outcome.RANKING:
        return judgement.get_outcome_display().lower()
    groups = [" = ".join(str(names.get(pk)) for pk in group) for group in judgement.ranking]
    if len(groups) < 2:
        return "alone"
    return f" {STRENGTHS.get(judgement.strength, 'better')} than ".join(groups)


def name_of(judgement: Judgement) -> str:
    """Who judged, for those who may know."""
    return judgement.rater.username if judgement.rater else judgement.rater_name or "a nameless rater"
