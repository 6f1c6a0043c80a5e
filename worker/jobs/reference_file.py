"""Answers of a file as references for a version's transforms: raw scores by source and prompt."""

import os
from collections import defaultdict
from typing import BinaryIO

from django.conf import settings

from worker.jobs.files import filled, lines
from worker.jobs.scored import scored
from worker.models import Version
from worker.rm.transforms import EVERY, RAW
from worker.rm.types import PREFERENCE, Report, silent

Found = dict[str, dict[str, list[float]]]


def reference_file(version: Version, file: BinaryIO, report: Report = silent) -> Found:
    """Lines as for score_file; `source` says who wrote a line's answers. Everybody's count as well under no source."""
    size, found = os.fstat(file.fileno()).st_size, defaultdict(lambda: defaultdict(list))
    head = RAW if version.transforms else PREFERENCE
    for batch in filled(lines(file)):
        owners = [(example, row.get("source", EVERY)) for row, own in batch for example in own]
        values = scored(version, [example for example, _ in owners], settings.CACHE_DIR).heads[head]
        for (example, source), value in zip(owners, values.tolist(), strict=True):
            if not isinstance(source, str):
                raise ValueError(f"{example.key}: source must be a text")
            for name in {EVERY, source}:
                found[name][example.group].append(value)
        report("bytes read and scored", file.tell(), size, {})
    return {source: dict(by_prompt) for source, by_prompt in found.items()}
