"""Where people and model differ: marks that the model likes, and sentences that it minds and nobody marked."""

from collections.abc import Iterable, Iterator

from annotate.models import Response
from annotate.services.again import waiting
from inspector.marks.look import Look
from inspector.marks.texts import Mark, Text
from inspector.stats import marks as stats

LISTED = 25
AROUND = 60  # characters of context on both sides
LISTS = ("liked", "punished")


def lists(look: Look, every: Iterable[Text]) -> dict:
    """Both lists, those furthest off first, and how long they would be; values are in the head's own score.

    Of what was planted nobody can be asked, so both are empty.
    """
    liked, punished = [], []
    for one in every if look.truth == "people" else ():
        liked += _liked(look, one)
        punished += _punished(look, one)
    found = {name: sorted(rows, key=_far)[:LISTED] for name, rows in zip(LISTS, (liked, punished), strict=True)}
    return found | {"liked_total": len(liked), "punished_total": len(punished)}


def _far(row: dict) -> tuple:
    return -abs(row["value"]), row["response"], row["start"]


def _liked(look: Look, one: Text) -> Iterator[dict]:
    """Of a segment's head, marks of its kind that it does not see."""
    wanted = [mark for mark in one.marks if look.category in ("", mark[2])]
    spans = stats.united([mark[:2] for mark in wanted])
    for (start, end), value in zip(spans, stats.totals(one.starts, one.ends, one.values, spans).tolist(), strict=True):
        if look.sign * value < 0:
            over = [mark for mark in wanted if _meet(mark, start, end)]
            said = {"kinds": sorted({mark[2] for mark in over}), "raters": len({mark[3] for mark in over})}
            yield _row(one, start, end, value) | said


def _punished(look: Look, one: Text) -> Iterator[dict]:
    free = [span for span in stats.sentences(one.text) if not any(_meet(mark, *span) for mark in one.marks)]
    for (start, end), value in zip(free, stats.totals(one.starts, one.ends, one.values, free).tolist(), strict=True):
        if look.sign * value > 0:
            yield _row(one, start, end, value)


def _meet(mark: Mark, start: int, end: int) -> bool:
    return mark[0] < end and start < mark[1]


def _row(one: Text, start: int, end: int, value: float) -> dict:
    place = {"response": one.response, "item": one.item, "held_out": one.held_out}
    return place | {"start": start, "end": end, "value": value}


def shown(look: Look, found: dict) -> dict[str, list[dict]]:
    """The rows with their words, and whether the response is in the raters' queue now."""
    wanted = {row["response"] for name in LISTS for row in found[name]}
    texts = dict(Response.objects.filter(pk__in=wanted).values_list("pk", "text"))
    queued = waiting(look.version.project, wanted)
    labels = {category.key: category.label for category in look.version.project.schema.categories}
    return {
        name: [
            row
            | _around(texts[row["response"]], row["start"], row["end"])
            | {"queued": queued.get(row["response"], ""), "labels": [labels.get(k, k) for k in row.get("kinds", ())]}
            for row in found[name]
            if row["response"] in texts
        ]
        for name in LISTS
    }


def _around(text: str, start: int, end: int) -> dict:
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    return {
        "before": ("…" if start > AROUND else "") + before,
        "words": text[start:end],
        "after": after + ("…" if end + AROUND < len(text) else ""),
    }
