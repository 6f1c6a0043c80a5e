"""Rows → records of our own format: what `imported.py` does, the other way."""

from collections.abc import Iterator

from django.db.models import Prefetch

from annotate.formats.record import Record, make
from annotate.models import Item, Judgement, Project
from annotate.models.judgement import Outcome

MARK = ("start", "end", "quote", "category", "severity", "note", "correction")


def records(project: Project) -> Iterator[Record]:
    """Every item with its responses and current judgements, in the order they came."""
    current = Judgement.objects.current().select_related("rater").prefetch_related("spans").order_by("pk")
    items = project.items.order_by("pk").prefetch_related("responses", Prefetch("judgements", current))
    yield from map(_record, items.iterator(chunk_size=200))


def _record(item: Item) -> Record:
    responses = item.responses.all()
    places = {response.pk: place for place, response in enumerate(responses)}
    return make(
        id=item.external_id,
        turns=item.turns,
        context=item.context,
        responses=[
            {"text": one.text, "source": one.source, "metadata": one.metadata, "steps": one.steps} for one in responses
        ],
        metadata=item.metadata,
        judgements=[_verdict(judgement, places) for judgement in item.judgements.all()],
    )


def _verdict(judgement: Judgement, places: dict[int, int]) -> dict:
    ranked = judgement.outcome == Outcome.RANKING
    by_place = {
        name: {str(places[int(pk)]): value for pk, value in getattr(judgement, name).items()}
        for name in ("ratings", "rationales", "steps", "safety", "corrections")
    }
    return by_place | {
        "shown": [places[pk] for pk in judgement.shown_order],
        "outcome": judgement.outcome,
        "ranking": [[places[pk] for pk in group] for group in judgement.ranking] if ranked else [],
        "strength": judgement.strength,
        "reason": judgement.reason,
        "spans": [
            {"response": places[span.response_id]} | {name: getattr(span, name) for name in MARK}
            for span in judgement.spans.all()
        ],
        "omissions": [{**one, "response": places[one["response"]]} for one in judgement.omissions],
        "checked": [places[pk] for pk in judgement.checked],
        "rationale": judgement.rationale,
        "principles": judgement.principles,
        "turns": judgement.turns,
        "demonstration": judgement.demonstration,
        "source": judgement.source,
        "active_ms": judgement.active_ms,
        "rater": judgement.rater.username if judgement.rater else judgement.rater_name,
        "weight": judgement.weight,
    }
