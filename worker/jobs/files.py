"""Files that a version reads without importing them: JSON lines of answers, and records with verdicts."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO, TypeVar

from annotate.formats.jsonl import record
from annotate.formats.record import Record, prompt_sha256
from annotate.formats.rows import json_lines
from worker.jobs.dataset import passages
from worker.rm.types import Example

BATCH = 256
T = TypeVar("T")


def answers(file: BinaryIO) -> Iterator[tuple[dict, Example]]:
    """Each line {"prompt" or "turns", "response", "context"?, …} with its example, named by the line.

    ValueError "line 17: …" at the first line that is not one.
    """
    for where, row in json_lines(file):
        try:
            yield row, examples_of(where, _record(row))[0]
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


def _record(row: dict) -> Record:
    if not isinstance(row.get("response"), str):
        raise ValueError("response must be a string, one answer a line")
    said = {name: row[name] for name in ("prompt", "turns", "context") if name in row}
    return record(said | {"responses": [row["response"]]})


def examples_of(where: str, item: Record) -> list[Example]:
    """The responses of a record, in its order."""
    turns = tuple((turn.role, turn.content) for turn in item.turns)
    context = passages([passage.model_dump() for passage in item.context])
    group = prompt_sha256(item.turns)
    return [Example(where, group, turns, answer.text, context) for answer in item.responses]


def batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of up to `size` rows."""
    source = iter(rows)
    while batch := list(islice(source, size)):
        yield batch
