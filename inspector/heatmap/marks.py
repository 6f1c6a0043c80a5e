"""What people marked in the chosen responses, and what was planted there."""

from collections.abc import Iterator

from annotate.models import Judgement, Response, Span
from inspector.heatmap.choice import Choice
from inspector.heatmap.paint import Mark
from worker.models import Version

COLOURS = 8


def marks(version: Version, choice: Choice) -> dict[int, list[Mark]]:
    """Response id → people's spans, then planted flaws, with one colour per category."""
    labels = {category.key: category.label for category in version.project.schema.categories}
    keys = list(labels)
    found: dict[int, list[Mark]] = {}

    def add(response: int, start: int, end: int, key: str, planted: bool, note: str = "") -> None:
        if key not in keys:
            keys.append(key)
        colour = keys.index(key) % COLOURS + 1
        found.setdefault(response, []).append(Mark(start, end, key, labels.get(key, key), colour, planted, note))

    shown = {side.response.pk: side.response for side in choice.sides if not side.edited}
    spans = Span.objects.filter(judgement__in=Judgement.objects.of_people(), response__in=shown)
    for span in spans.order_by("start", "end", "pk"):
        add(span.response_id, span.start, span.end, span.category, False, span.note)
    for response in shown.values():
        for start, end, key in _planted(response):
            add(response.pk, start, end, key, True)
    return found


def _planted(response: Response) -> Iterator[tuple[int, int, str]]:
    """Planted flaws; the metadata came with a file, and may hold anything under that name."""
    flaws = response.metadata.get("flaws")
    for flaw in flaws if isinstance(flaws, list) else []:
        match flaw:
            case {"start": int(start), "end": int(end), "category": str(key)} if start < end:
                yield start, end, key
