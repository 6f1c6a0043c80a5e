"""Outside formats: rows in, records out, streaming; an error names its line or record and the reason. PURE."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from annotate.formats import hh_rlhf, jsonl, qa_feedback
from annotate.formats.record import Record
from annotate.formats.rows import Rows, json_array, json_lines

FORMATS: dict[str, tuple[Callable[[BinaryIO], Rows], Callable[[dict], Record]]] = {
    "jsonl": (json_lines, jsonl.record),
    "qa-feedback": (json_array, qa_feedback.record),
    "hh-rlhf": (json_lines, hh_rlhf.record),
}


def read(file: BinaryIO, format: str) -> Iterator[tuple[str, Record]]:
    """("line 17", record) for each row of the file; ValueError "line 17: …" at the first bad one."""
    rows, record = FORMATS[format]
    for where, row in rows(file):
        try:
            yield where, record(row)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


__all__ = ["FORMATS", "Record", "read"]
