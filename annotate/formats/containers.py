"""Any file → rows: JSON, JSON lines, CSV, TSV or Parquet, each also inside gzip, told by its bytes, not its name. PURE.

Nothing is held whole but one row, and the part of a Parquet file that Arrow unpacks at once. What a packed file may
unpack to is bounded, so that a small file cannot fill the memory or the disk (a "bomb").
"""

import gzip
import io
import tempfile
import zlib
from typing import BinaryIO

from annotate.formats.bounds import RATIO, bound
from annotate.formats.rows import CHUNK, Rows, json_array, json_lines
from annotate.formats.tables import table

HEAD = 4096
WHAT = "the file is neither JSON, JSON lines, CSV or TSV with a header, nor Parquet"


def rows(file: BinaryIO) -> Rows:
    """("line 17" or "record 17", row) for each row of a seekable file. ValueError names the place of a bad one."""
    if _head(file).startswith(b"\x1f\x8b"):
        return _rows(io.BufferedReader(_Unpacked(file), CHUNK), packed=True)
    return _rows(file, packed=False)


def _rows(file: BinaryIO, packed: bool) -> Rows:
    head = _head(file)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if head.startswith(b"PAR1"):
        from annotate.formats.parquet import parquet_rows  # Arrow is large, and seldom needed

        return parquet_rows(_spooled(file) if packed else file)
    if text.startswith(b"[") or not text.startswith(b"{"):
        if text and not text.startswith(b"["):
            return table(file, b"\t" if b"\t" in text.partition(b"\n")[0] else b",", WHAT)
        return json_array(file) if text else json_lines(file)
    return json_lines(file)


def _head(file: BinaryIO) -> bytes:
    if isinstance(file, io.BufferedReader):
        return file.peek(HEAD)[:HEAD]
    head = file.read(HEAD)
    file.seek(-len(head), io.SEEK_CUR)
    return head


def _spooled(file: BinaryIO) -> BinaryIO:
    """Parquet is read from its end, so the unpacked bytes lie in a file that nobody else sees."""
    target = tempfile.TemporaryFile()  # noqa: SIM115  (it goes with its last reader)
    while data := file.read(CHUNK):
        target.write(data)
    target.seek(0)
    return target


class _Unpacked(io.RawIOBase):
    """The bytes inside a gzip file, up to its bound."""

    def __init__(self, file: BinaryIO) -> None:
        place = file.tell()
        self._left = bound(file.seek(0, io.SEEK_END))
        file.seek(place)
        self._source = gzip.GzipFile(fileobj=file, mode="rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        try:
            data = self._source.read1(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"the gzip file is broken or cut: {error}") from None
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"the gzip file unpacks to more than {RATIO} times its size; unpack it first")
        buffer[: len(data)] = data
        return len(data)
