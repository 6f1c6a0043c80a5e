"""Rows → the bytes of a file, chunk by chunk in constant memory: JSON lines or Parquet. PURE."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from annotate.formats.jsonl import dumps

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 500  # rows of one row group
CHUNK = 2**16  # bytes of lines that are sent together
OWN = ("turns", "context", "responses", "metadata", "judgements")


def json_lines(rows: Iterable[dict], export: str) -> Iterator[bytes]:
    """One line a row: the first at once, then many together."""
    waiting, size = [], CHUNK
    for row in rows:
        waiting.append(dumps(row).encode() + b"\n")
        size += len(waiting[-1])
        if size >= CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def parquet(rows: Iterable[dict], export: str) -> Iterator[bytes]:
    """A Parquet file, a row group at a time; its columns are the export's, also where it holds no row."""
    import pyarrow as pa  # large, and seldom needed
    import pyarrow.parquet as pq

    sink, schema, rows = _Sink(), _schema(export), iter(rows)
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        yield sink.taken()
        while batch := list(islice(rows, BATCH)):
            cells = [_cells(row) for row in batch] if export == "touchstone" else batch
            writer.write_table(pa.Table.from_pylist(cells, schema=schema))
            yield sink.taken()
    yield sink.taken()


CONTAINERS = {"jsonl": json_lines, "parquet": parquet}


class _Sink:
    """What Arrow writes, until it is taken; a file that cannot be read or wound back."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        data, self.parts = b"".join(self.parts), []
        return data


def _cells(row: dict) -> dict:
    """Our own format in columns: lists and objects as JSON texts, since each row's metadata has its own shape."""
    return {name: dumps(value) if name in OWN else value for name, value in row.items()}


def _schema(export: str) -> "pa.Schema":
    import pyarrow as pa

    text, whole, number = pa.string(), pa.int64(), pa.float64()
    said = pa.list_(pa.struct({"role": text, "content": text}))
    spans = pa.list_(pa.struct({"start": whole, "end": whole, "category": text, "severity": whole}))
    preference = {"prompt": said, "chosen": said, "rejected": said}
    numbers = {"margin": number, "soft_label": number, "weight": number, "raters": whole}
    ratings = {"chosen_rating": number, "rejected_rating": number}
    columns = {
        "touchstone": {"id": text, **dict.fromkeys(OWN, text), "cursor": whole},
        "preference": preference,
        "dpo": preference,
        "reward": preference | numbers | {"chosen_spans": spans, "rejected_spans": spans} | ratings,
        "kto": {"prompt": said, "completion": said, "label": pa.bool_()},
        "sft": {"prompt": said, "completion": said, "kind": text},
        "prm": {"prompt": text, "completions": pa.list_(text), "labels": pa.list_(pa.bool_())},
    }[export]
    return pa.schema(columns | ({} if export == "touchstone" else {"item": whole}))
