"""Files that a version reads without importing them: JSON lines of answers, and records with verdicts."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import BinaryIO, TypeVar

from annotate.formats.jsonl import record
from annotate.formats.record import Record, prompt_sha256
from annotate.formats.rows import json_lines
from worker.jobs.dataset import passages
from worker.rm.types import Example

BATCH = 256
ANSWERS = 2048  # scored together
T = TypeVar("T")


def answers(file: BinaryIO) -> Iterator[tuple[dict, Example]]:
    """Each line {"prompt" or "turns", "response", "context"?, …} with its example, named by the line.

    ValueError "line 17: …" at the first line that is not one.
    """
    for row, examples in lines(file):
        if "response" not in row:
            raise ValueError(f"{examples[0].key.partition(',')[0]}: response must be a string, one answer a line")
        yield row, examples[0]


def lines(file: BinaryIO) -> Iterator[tuple[dict, list[Example]]]:
    """The same with one answer a line in `response`, or several to one prompt in `responses`."""
    for where, row in json_lines(file):
        try:
            yield row, examples_of_line(where, row)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


def examples_of_line(where: str, row: dict) -> list[Example]:
    """The answers of one line, named by where it stands; ValueError says what is wrong with it."""
    texts = _texts(row)
    item = record({name: row[name] for name in ("prompt", "turns", "context") if name in row})
    empty = Example(where, *_asked(item), "", passages([passage.model_dump() for passage in item.context]))
    if "response" in row:
        return [replace(empty, response=texts[0])]
    return [replace(empty, key=f"{where}, response {n}", response=text) for n, text in enumerate(texts)]


def _texts(row: dict) -> list[str]:
    """An answer may be empty, for a policy may say nothing; it may not be missing."""
    if ("response" in row) == ("responses" in row):
        raise ValueError("response must be a string, or responses a list of them, and not both")
    if "response" in row:
        found = [row["response"]]
    else:
        listed = row["responses"] if isinstance(row["responses"], list) else []
        found = [one.get("text") if isinstance(one, dict) else one for one in listed]
    if not found or not all(isinstance(text, str) for text in found):
        raise ValueError("response must be a string" if "response" in row else "responses must be a list of texts")
    return found


def _asked(item: Record) -> tuple[str, tuple[tuple[str, str], ...]]:
    return prompt_sha256(item.turns), tuple((turn.role, turn.content) for turn in item.turns)


def examples_of(where: str, item: Record) -> list[Example]:
    """The responses of a record, in its order."""
    context = passages([passage.model_dump() for passage in item.context])
    return [Example(where, *_asked(item), answer.text, context) for answer in item.responses]


def batches(rows: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Lists of up to `size` rows."""
    source = iter(rows)
    while batch := list(islice(source, size)):
        yield batch


def filled(rows: Iterable[tuple[dict, list[Example]]], size: int = ANSWERS) -> Iterator[list[tuple[dict, list]]]:
    """Lists of rows that hold `size` answers together, or one row that alone has more."""
    batch, count = [], 0
    for row, examples in rows:
        if batch and count + len(examples) > size:
            yield batch
            batch, count = [], 0
        batch.append((row, examples))
        count += len(examples)
    if batch:
        yield batch
