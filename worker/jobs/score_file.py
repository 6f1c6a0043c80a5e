"""Answers of a file, scored by a version: the same encode path and so the same numbers as the score job."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from django.conf import settings

from worker.jobs.files import answers, batches
from worker.jobs.loading import model_of
from worker.models import Version
from worker.rm.scoring import score
from worker.rm.types import PREFERENCE, Report, Scored, silent


def score_file(version: Version, file: BinaryIO, report: Report = silent) -> Iterator[dict]:
    """Each row of the file with `score`, one field per head, `tokens` and `truncated`; ValueError names a bad line."""
    model = model_of(version)
    size = os.fstat(file.fileno()).st_size
    for batch in batches(answers(file)):
        scored = score(model, [example for _, example in batch], settings.CACHE_DIR)
        for place, (row, _) in enumerate(batch):
            yield row | _scores(scored, place)
        report("bytes read and scored", file.tell(), size, {})


def _scores(scored: Scored, place: int) -> dict:
    heads = {head: float(values[place]) for head, values in scored.heads.items()}
    encoded = {"tokens": int(scored.tokens[place]), "truncated": bool(scored.truncated[place])}
    return {"score": heads[PREFERENCE]} | heads | encoded
