"""Bytes → JSON objects, one at a time, each with the place to name in an error. PURE.

Both readers take a binary file, accept a byte-order mark and any line ends, and refuse what a database could not
store: NUL characters, lone surrogates, NaN and infinity, very deep nesting.
"""

import codecs
import itertools
import json
import math
import re
from collections.abc import Iterator
from typing import BinaryIO

LONGEST = 16 * 2**20  # bytes or characters of one row
DEEPEST = 50
CHUNK = 2**16
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
SUSPECT = re.compile(
    r"[\x00\ud800-\udfff]|\\u(?:0000|[dD][89a-fA-F])|[0-9][eE]|[0-9]{300}"
)  # all that `check` looks for

Rows = Iterator[tuple[str, dict]]


def json_lines(file: BinaryIO) -> Rows:
    """("line 17", object) for each line that is not blank."""
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        try:
            row = _line(line, "utf-8-sig" if number == 1 else "utf-8")
        except ValueError as error:
            raise ValueError(f"line {number}: {reason(error)}") from None
        if row is not None:
            yield f"line {number}", row


def json_array(file: BinaryIO) -> Rows:
    """("record 17", object) for each element of one JSON array, which is never held whole."""
    number, chunks = 0, _decoded(file)
    try:
        rest = _skip_space(chunks, "")
        if not rest.startswith("["):
            raise ValueError("the file is not a JSON array")
        rest = _skip_space(chunks, rest[1:])
        while number or not rest.startswith("]"):
            number += 1
            row, rest = _element(chunks, rest)
            yield f"record {number}", _checked(row)
            rest = _skip_space(chunks, rest)
            if rest.startswith("]"):
                break
            if not rest.startswith(","):
                raise ValueError("no comma or end of the array after it")
            rest = _skip_space(chunks, rest[1:])
        if _skip_space(chunks, rest[1:]):
            raise ValueError("there is text after the array")
    except (ValueError, RecursionError) as error:
        where = f"record {number}: " if number else "the file is " * isinstance(error, UnicodeDecodeError)
        raise ValueError(where + reason(error)) from None


def json_object(text: str) -> dict:
    """The one JSON object of a text. ValueError where it is none, or cannot be stored."""
    try:
        return _checked(DECODER.decode(text), text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _line(line: bytes, encoding: str) -> dict | None:
    if len(line) > LONGEST:
        raise ValueError(f"longer than {LONGEST:,} bytes")
    text = line.decode(encoding).strip(" \t\r\n")
    return json_object(text) if text else None


def _decoded(file: BinaryIO) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    while data := file.read(CHUNK):
        yield decoder.decode(data)
    yield decoder.decode(b"", final=True)


def _element(chunks: Iterator[str], rest: str) -> tuple[object, str]:
    """One value from the front of the text, and what follows; reads on, twice as far each time, while it is cut."""
    while True:
        try:
            value, end = DECODER.raw_decode(rest)
            return value, rest[end:]
        except json.JSONDecodeError:
            more = "".join(itertools.islice(chunks, 1 + len(rest) // CHUNK)) if len(rest) <= LONGEST else ""
            if not more:
                raise
            rest += more


def _skip_space(chunks: Iterator[str], rest: str) -> str:
    """The text from its next character that is not white space; empty at the end of the file."""
    while not (rest := rest.lstrip(" \t\r\n")) and (more := next(chunks, "")):
        rest = more
    return rest


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


DECODER = json.JSONDecoder(parse_constant=_refuse)


def _checked(row: object, text: str | None = None) -> dict:
    """The row, walked in whole; a text that cannot hold anything bad spares the walk."""
    if not isinstance(row, dict):
        raise ValueError("must be a JSON object")
    if text is None or SUSPECT.search(text) or text.count("[") + text.count("{") > DEEPEST:
        check(row, "", 0)
    return row


def check(value: object, path: str, depth: int) -> None:
    """Walk all of it; the error says where the first unstorable thing stands."""
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        if found := UNSTORABLE.search(value):
            raise ValueError(f"{path or 'a key'} holds {found[0]!r}, which cannot be stored")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path} is too large a number")
    elif isinstance(value, dict):
        for key, part in value.items():
            check(key, "", depth)
            check(part, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            check(part, f"{path}.{place}", depth + 1)


def reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte {error.start} is 0x{error.object[error.start]:02x})"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} (line {error.lineno} column {error.colno} of it)"
    return str(error)
