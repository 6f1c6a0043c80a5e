"""What people were shown: texts and their hashes, the judgements made on them, the quotes of their marks."""

from collections.abc import Iterator

from django.db.models import F
from django.db.models.functions import Substr

from annotate.formats.record import Turn, prompt_sha256, text_sha256
from annotate.models import Item, Judgement, Response, Span
from worker.services.reading import chunks
from worker.upkeep.doctor.fault import Check, Fault

READ = ("pk", "item_id", "item__prompt_sha256", "outcome", "shown_order", "ranking", "texts_sha256")
STREAM = 500  # texts may be long


def _hashes() -> Iterator[Fault]:
    for pk, turns, found in Item.objects.values_list("pk", "turns", "prompt_sha256").iterator(STREAM):
        if prompt_sha256(Turn.model_construct(**turn) for turn in turns) != found:
            yield Fault(f"item {pk}", "its conversation is not the one that was hashed")
    for pk, text, found in Response.objects.order_by("pk").values_list("pk", "text", "sha256").iterator(STREAM):
        if text_sha256(text) != found:
            yield Fault(f"response {pk}", "its text is not the one that was hashed")


def _shown() -> Iterator[Fault]:
    """The hashes that each judgement was made on, against those of the responses it names."""
    for chunk in chunks(Judgement.objects.order_by("pk"), READ):
        rows = Response.objects.order_by().filter(item__in={row.item_id for row in chunk})
        stored = {pk: (item, sha256) for pk, item, sha256 in rows.values_list("pk", "item_id", "sha256").iterator()}
        for row in chunk:
            if says := _differs(row, stored):
                yield Fault(f"judgement {row.pk}", says)


def _differs(row: tuple, stored: dict[int, tuple[int, str]]) -> str:
    strangers = [pk for pk in row.shown_order if stored.get(pk, (None,))[0] != row.item_id]
    if strangers:
        return f"shows response {strangers[0]}, which its item does not have"
    ranked = [pk for group in row.ranking for pk in group]
    if not set(ranked) <= set(row.shown_order) or len(set(ranked)) != len(ranked):
        return "ranks what was not shown, or one response twice"
    right = {"prompt": row.item__prompt_sha256} | {str(pk): stored[pk][1] for pk in row.shown_order}
    return "" if row.texts_sha256 == right else "was made on other texts than those that are stored"


def _quotes() -> Iterator[Fault]:
    """The database compares, and what it finds is looked at by code points once more."""
    there = Substr("response__text", F("start") + 1, F("end") - F("start"))
    rows = Span.objects.order_by("pk").alias(there=there).exclude(quote=F("there"))
    for span in rows.select_related("response").iterator(STREAM):
        if span.response.text[span.start : span.end] != span.quote:
            yield Fault(f"span {span.pk}", f"its quote is not what stands at {span.start}–{span.end}")
    strays = Span.objects.order_by("pk").exclude(response__item=F("judgement__item"))
    for pk, response in strays.values_list("pk", "response").iterator():
        yield Fault(f"span {pk}", f"marks response {response} of another item")


ADVICE = "Which of the two is right, a backup says (manage.py restore into another folder, and compare)."
CHECKS = (
    Check("hashes", "A text was changed after people had judged it.", ADVICE, _hashes),
    Check("shown", "A judgement is about other texts than those that stand beside it.", ADVICE, _shown),
    Check("quotes", "A mark does not lie on the words that the rater marked.", ADVICE, _quotes),
)
