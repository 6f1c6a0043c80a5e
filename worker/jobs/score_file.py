"""Answers of a file, scored by a version: the same encode path and so the same numbers as the score job.

A line with `response` gets `score`, one field per head, `tokens` and `truncated`. A line with several `responses` to
its prompt gets `scores`, `ranks` (1 is best, equals share one), `best` (the place of the first of the best), `tied`
(how many others are as good), and lists: `tokens`, `truncated`, one per head in `heads`. What is not defined is null.
Lines of one answer that follow one another with the same prompt are ranked as well: `rank`, `of`, `tied`.
"""

import math
import os
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO

from django.conf import settings

from worker.jobs.files import filled, lines
from worker.jobs.scored import WHY, scored
from worker.models import Version
from worker.rm.best_of_n import best, ranks
from worker.rm.types import PREFERENCE, Example, Report, Scored, silent


def score_file(version: Version, file: BinaryIO, report: Report = silent) -> Iterator[dict]:
    """Each row of the file with what the version says of it; ValueError names a bad line."""
    for _, run in groupby(_scored(version, file, report), key=itemgetter(0)):
        yield from _in_rank([row for _, row in run])


def _scored(version: Version, file: BinaryIO, report: Report) -> Iterator[tuple[object, dict]]:
    """(what stands beside its like, row): the prompt of a line of one answer, a thing of its own for others."""
    size = os.fstat(file.fileno()).st_size
    for batch in filled(lines(file)):
        found = scored(version, [example for _, own in batch for example in own], settings.CACHE_DIR)
        place = 0
        for row, own in batch:
            alone = "response" in row
            yield own[0].group if alone else object(), row | _told(found, own, alone, place)
            place += len(own)
        report("bytes read and scored", file.tell(), size, {})


def _in_rank(rows: list[dict]) -> list[dict]:
    if len(rows) == 1:
        return rows
    order = ranks([math.nan if row["score"] is None else row["score"] for row in rows])
    return [
        row | {"rank": rank, "of": len(rows), "tied": max(0, order.count(rank) - 1)}
        for row, rank in zip(rows, order, strict=True)
    ]


def _told(found: Scored, own: list[Example], alone: bool, place: int) -> dict:
    part = slice(place, place + len(own))
    heads = {head: [_number(value) for value in values[part]] for head, values in found.heads.items()}
    encoded = {"tokens": found.tokens[part].tolist(), "truncated": found.truncated[part].tolist()}
    why = {"undefined": WHY} if None in heads[PREFERENCE] else {}
    if alone:
        return {name: of[0] for name, of in ({"score": heads[PREFERENCE]} | heads | encoded).items()} | why
    return {"scores": heads[PREFERENCE]} | _ranked(found.heads[PREFERENCE][part]) | {"heads": heads} | encoded | why


def _ranked(scores: list[float]) -> dict:
    order = ranks(scores)
    return {"ranks": order, "best": best(scores), "tied": max(0, order.count(1) - 1)}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
