"""Answers of a file, scored by a version: the same encode path and so the same numbers as the score job.

A line with `response` gets `score`, one field per head, `tokens` and `truncated`. A line with several `responses` to
its prompt gets `scores`, `ranks` (1 is best, equals share one), `best` (the place of the first of the best), `tied`
(how many others are as good), and lists: `tokens`, `truncated`, one per head in `heads`. What is not defined is null.
"""

import math
import os
from collections.abc import Iterator
from typing import BinaryIO

from django.conf import settings

from worker.jobs.files import filled, lines
from worker.jobs.scored import WHY, scored
from worker.models import Version
from worker.rm.best_of_n import best, ranks
from worker.rm.types import PREFERENCE, Example, Report, Scored, silent


def score_file(version: Version, file: BinaryIO, report: Report = silent) -> Iterator[dict]:
    """Each row of the file with what the version says of it; ValueError names a bad line."""
    size = os.fstat(file.fileno()).st_size
    for batch in filled(lines(file)):
        found = scored(version, [example for _, own in batch for example in own], settings.CACHE_DIR)
        place = 0
        for row, own in batch:
            yield row | _told(found, own, "response" in row, place)
            place += len(own)
        report("bytes read and scored", file.tell(), size, {})


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
