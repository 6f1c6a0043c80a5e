"""CSV and TSV with a header line → rows of strings; an empty cell is a value that is not there. PURE."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from annotate.formats.rows import LONGEST, Rows, check, reason

csv.field_size_limit(LONGEST)
RAW = {"system", "rater", "severity"}  # the columns of MQM files, whose quotation marks are part of the text


class _Lines:
    """Decoded lines of a file, counted; `row_bytes` is set back by the reader at each row."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.number, self.row_bytes = file, 0, 0

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(LONGEST + 1):
            self.number += 1
            self.row_bytes += len(line)
            if self.row_bytes > LONGEST:
                raise ValueError(f"longer than {LONGEST:,} bytes; is a quotation mark never closed?")
            yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")


def table(file: BinaryIO, delimiter: bytes, what: str) -> Rows:
    """("line 17", {column: cell}) for each row below the header; `what` is said of a file that has none."""
    lines, number = _Lines(file), 1
    try:
        text = iter(lines)
        header = _header(next(text), delimiter, what)
        quoting = csv.QUOTE_NONE if set(header) >= RAW and delimiter == b"\t" else csv.QUOTE_MINIMAL
        reader = csv.reader(text, delimiter=delimiter.decode(), quoting=quoting, strict=True)
        lines.row_bytes, number = 0, lines.number + 1
        for cells in reader:
            if cells:
                yield f"line {number}", _row(header, cells)
            lines.row_bytes, number = 0, lines.number + 1
    except (ValueError, csv.Error) as error:
        raise ValueError(f"line {number}: {reason(error)}") from None


def _header(line: str, delimiter: bytes, what: str) -> list[str]:
    names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter.decode()), [])]
    known = [name for name in names if name]
    if len(known) < 2 or not all(name.isprintable() and len(name) <= 100 for name in known):
        raise ValueError(what)
    if len(known) != len(set(known)):
        raise ValueError("two columns have the same name")
    return names


def _row(header: list[str], cells: list[str]) -> dict:
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} cells under a header of {len(header)}")
    row = {name: cell for name, cell in zip(header, cells, strict=True) if name and cell}
    check(row, "", 0)
    return row
