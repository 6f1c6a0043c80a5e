"""Parquet → rows of plain JSON values; what is null is not there. PURE. The readers' only importer of Arrow."""

import datetime
import math
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from annotate.formats.bounds import RATIO, bound
from annotate.formats.rows import Rows, check

GROUP = 2**30  # bytes of one row group, unpacked
BATCH = 64  # rows that are Python values at once
BROKEN = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError, RecursionError, TypeError, KeyError)


def parquet_rows(file: BinaryIO) -> Rows:
    """("record 17", row) for each row. ValueError with the place where Arrow or a value breaks."""
    number, unpacked, most = 0, 0, bound(file.seek(0, 2))
    file.seek(0)
    try:
        whole = pq.ParquetFile(file)
        _check_sizes(whole.metadata, file)
        for batch in whole.iter_batches(batch_size=BATCH, use_threads=False):
            unpacked += batch.nbytes  # one text repeated a million times takes no room in the file
            if unpacked > most:
                raise ValueError(f"the file holds more than {RATIO} times its size; write it without a dictionary")
            for row in batch.to_pylist():
                number += 1
                values = _plain(row)
                check(values, "", 0)
                yield f"record {number}", values
    except BROKEN as error:
        place = f"record {number}" if number else "the Parquet file"
        raise ValueError(f"{place}: {_first_line(error)}") from None


def _check_sizes(metadata: pq.FileMetaData, file: BinaryIO) -> None:
    sizes = [metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups)]
    if any(not 0 <= size <= GROUP for size in sizes):
        raise ValueError(f"a row group unpacks to more than {GROUP:,} bytes; write smaller ones")


def _plain(value: Any) -> Any:
    """The value as JSON knows it; fields that are null or not a number are left out."""
    if isinstance(value, dict):
        return {key: plain for key, part in value.items() if (plain := _plain(part)) is not None}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if value is None or isinstance(value, str | int):
        return value
    raise ValueError(f"a value of type {type(value).__name__} has no place in JSON")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
