"""Outside formats: rows in, records out, streaming; an error names its line or record and the reason. PURE."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from annotate.formats import (
    argilla,
    columns,
    hanna,
    helpsteer,
    helpsteer_preference,
    hh_rlhf,
    jsonl,
    label_studio,
    mqm,
    pandalm,
    qa_feedback,
    reward_bench,
    steps,
    trl,
    ultrafeedback,
)
from annotate.formats.containers import rows
from annotate.formats.guess import AUTO, guess
from annotate.formats.record import Record
from annotate.formats.rows import Rows


def each(rows: Rows) -> Rows:
    """Most formats: one row is one item."""
    return rows


Grouped = Iterable[tuple[str, Any]]
FORMATS: dict[str, tuple[Callable[[Rows], Grouped], Callable[[Any], Record]]] = {
    "jsonl": (each, jsonl.record),
    "table": (each, columns.record),
    "trl": (each, trl.record),
    "hh-rlhf": (each, hh_rlhf.record),
    "helpsteer": (helpsteer.groups, helpsteer.record),
    "helpsteer-preference": (each, helpsteer_preference.record),
    "ultrafeedback": (each, ultrafeedback.record),
    "ultrafeedback-binarized": (each, trl.binarized),
    "reward-bench": (each, reward_bench.record),
    "qa-feedback": (each, qa_feedback.record),
    "prm800k": (each, steps.prm800k),
    "bigbench-mistake": (each, steps.mistake),
    "mqm": (mqm.groups, mqm.record),
    "pandalm": (each, pandalm.record),
    "hanna": (each, hanna.record),
    "argilla": (each, argilla.record),
    "label-studio": (each, label_studio.record),
}


def recognised(file: BinaryIO, format: str) -> str:
    """The format itself, or for "auto" the one that the file's first row looks like. ValueError where none does."""
    if format in FORMATS:
        return format
    if format != AUTO:
        raise ValueError(f"{format!r} is not one of the formats {AUTO}, {', '.join(FORMATS)}")
    file.seek(0)
    where, row = next(iter(rows(file)), ("", None))
    if row is None:
        raise ValueError("the file holds no items")
    try:
        return guess(row)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def read(file: BinaryIO, format: str) -> Iterator[tuple[str, Record]]:
    """("line 17", record) for each item of the file; ValueError "line 17: …" at the first bad one."""
    format = recognised(file, format)
    file.seek(0)
    group, record = FORMATS[format]
    for where, row in group(rows(file)):
        try:
            yield where, record(row)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


__all__ = ["AUTO", "FORMATS", "Record", "read", "recognised"]
