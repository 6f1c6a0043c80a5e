"""Rows → records of our own format, what `imported.py` does the other way; and records → files for training."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Prefetch

from annotate.formats.record import Record, make
from annotate.formats.training import EXPORTS
from annotate.formats.votes import settled
from annotate.formats.written import CONTAINERS
from annotate.models import Item, Judgement, Project, User
from annotate.models.judgement import Outcome, Source
from annotate.models.task import AssignmentKind
from annotate.services.event import record

BATCH = 100  # items that are in memory at once
MARK = ("start", "end", "quote", "category", "severity", "note", "correction")
OWN = ("source", "kind", "right", "served", "probability", "active_ms", "weight")
TRUSTED = (Source.HUMAN, Source.IMPORTED, Source.ADJUDICATED)
# Of tasks whose answer was known, and of second looks, nothing is learned from.
LEARNED = (AssignmentKind.NORMAL, AssignmentKind.ADJUDICATION)


@dataclass(frozen=True)
class Export:
    """What is wanted. Judgements of machines and simulated ones come only if they are named."""

    format: str = "touchstone"
    container: str = "jsonl"
    sources: tuple[str, ...] = ()  # none named: all for our own format, which says whose they are; else TRUSTED
    together: bool = True  # one row for each pair, not for each judgement
    after: int = 0  # the number of the item that was the last to arrive

    @property
    def whole(self) -> bool:
        """Our own format leaves nothing behind."""
        return self.format == "touchstone"

    @property
    def wanted(self) -> tuple[str, ...]:
        return self.sources or (tuple(Source.values) if self.whole else TRUSTED)


def export_for(*, project: Project, export: Export, actor: User | None = None) -> Iterator[bytes]:
    """The file for somebody; the ledger tells that it was asked for, and what of it has arrived nobody knows."""
    asked = {"format": export.format, "container": export.container, "sources": export.wanted, "after": export.after}
    record(kind="judgements.exported", subject=project, project=project, actor=actor, **asked)
    return export_chunks(project=project, export=export)


def export_chunks(*, project: Project, export: Export) -> Iterator[bytes]:
    """The bytes of the file, a few hundred items at a time, so that memory stays flat and the first come at once.

    Items that arrive or change meanwhile may be in it or not: each batch is read as it is then.
    """
    yield from CONTAINERS[export.container](export_rows(project=project, export=export), export.format)


def export_rows(*, project: Project, export: Export) -> Iterator[dict]:
    """The rows, each with the number of its item as `item`, or `cursor` in our own format."""
    name, schema = "cursor" if export.whole else "item", project.schema
    for number, one in records(project, export):
        for row in EXPORTS[export.format](one, export.together, schema):
            yield row | {name: number}


def records(project: Project, export: Export = Export()) -> Iterator[tuple[int, Record]]:
    """(number, record) of every item with its responses and current judgements, in the order they came."""
    current = Judgement.objects.current().filter(source__in=export.wanted).select_related("rater")
    if not export.whole:
        current = current.filter(kind__in=LEARNED)
    current = current.prefetch_related("spans").order_by("pk")
    items, after = project.items.order_by("pk"), export.after
    while batch := list(
        items.filter(pk__gt=after).prefetch_related("responses", Prefetch("judgements", current))[:BATCH]
    ):
        for item in batch:
            one = record_of(item)
            _let_go(item)
            yield item.pk, one if export.whole else one.model_copy(update={"judgements": settled(one.judgements)})
        after = batch[-1].pk


def _let_go(item: Item) -> None:
    """Rows that were fetched together hold each other: parted, they go at once, not when Python looks for cycles."""
    for row in (item, *item.judgements.all()):
        row._prefetched_objects_cache.clear()


def record_of(item: Item) -> Record:
    """The item with its responses and those of its judgements that were fetched with it."""
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
        **{name: getattr(judgement, name) for name in OWN},
        "rater": judgement.rater.username if judgement.rater else judgement.rater_name,
    }
