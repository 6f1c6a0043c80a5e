"""Bytes that files really hold, and bytes that somebody sends to break the importer."""

import io
import json

import pytest

from annotate.formats.rows import CHUNK, json_array, json_lines


def lines(data: bytes) -> list:
    return list(json_lines(io.BytesIO(data)))


def array(data: bytes) -> list:
    return list(json_array(io.BytesIO(data)))


def test_lines_are_numbered_as_an_editor_numbers_them():
    assert lines(b'{"a": 1}\n\n  \n{"a": 2}') == [("line 1", {"a": 1}), ("line 4", {"a": 2})]


def test_byte_order_mark_and_windows_line_ends():
    assert lines(b'\xef\xbb\xbf{"a": "x"}\r\n{"a": "y"}\r\n') == [("line 1", {"a": "x"}), ("line 2", {"a": "y"})]
    assert array(b'\xef\xbb\xbf [\r\n{"a": "x"}\r\n]\r\n') == [("record 1", {"a": "x"})]


def test_separators_of_unicode_do_not_end_a_line():
    text = "one\u2028two\x85three"
    assert lines(json.dumps({"a": text}, ensure_ascii=False).encode()) == [("line 1", {"a": text})]


def test_a_line_of_a_megabyte_is_read_and_one_of_twenty_is_named():
    assert len(lines(json.dumps({"a": "x" * 2**20}).encode())[0][1]["a"]) == 2**20
    with pytest.raises(ValueError, match=r"^line 1: longer than 16,777,216 bytes"):
        lines(json.dumps({"a": "x" * 20 * 2**20}).encode())


@pytest.mark.parametrize("size", [1, CHUNK - 20, CHUNK - 1, CHUNK, 3 * CHUNK])
def test_elements_across_the_border_of_two_reads(size):
    rows = [{"a": "é🙂" + "x" * size, "n": number} for number in range(3)]
    assert [row for _, row in array(json.dumps(rows, ensure_ascii=False).encode())] == rows
    assert [row for _, row in array(json.dumps(rows).encode())] == rows


def test_empty_arrays_and_files():
    assert array(b" [ ] ") == []
    assert lines(b"") == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1}\n{"a": }', r"^line 2: not JSON: Expecting value \(line 1 column 7"),
        (b'{"a": 1}\n[1]', "^line 2: must be a JSON object"),
        (b'{"a": "\xff"}', r"^line 1: not UTF-8 \(byte 7 is 0xff\)"),
        (b'{"a": {"b": ["ok", "\\u0000"]}}', r"^line 1: a\.b\.1 holds '\\x00', which cannot be stored"),
        (b'{"a": "\\ud83d!"}', r"^line 1: a holds '\\ud83d'"),
        (b'{"\\udc00": 1}', r"^line 1: a key holds '\\udc00'"),
        (b'{"a": NaN}', "^line 1: NaN is not a JSON number"),
        (b'{"a": -Infinity}', "^line 1: -Infinity is not"),
        (b'{"a": 1e999}', "^line 1: a is too large a number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "^line 1: Exceeds the limit"),
        (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", "^line 1: nested too deeply"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "^line 1: nested too deeply"),
    ],
)
def test_a_bad_line_names_its_number_and_reason(data, message):
    with pytest.raises(ValueError, match=message):
        lines(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1}', "^the file is not a JSON array"),
        (b"", "^the file is not a JSON array"),
        (b'[{"a": "\xe9"}]', r"^the file is not UTF-8 \(byte 8 is 0xe9\)"),
        (b'[{"a": 1}, 2]', "^record 2: must be a JSON object"),
        (b'[{"a": 1} {"a": 2}]', "^record 1: no comma or end of the array after it"),
        (b'[{"a": 1},]', "^record 2: not JSON: Expecting value"),
        (b'[{"a": 1}', "^record 1: no comma or end"),
        (b'[{"a": 1}, {"a": ', "^record 2: not JSON"),
        (b'[{"a": 1}] []', "^record 1: there is text after the array"),
        (b'[{"a": "\xe2\x82', "^record 1: not UTF-8"),
        (b'[{"a": "\\u0000"}]', r"^record 1: a holds '\\x00'"),
        (b"\xff\xfe[\x00]\x00", "^the file is not UTF-8"),
    ],
)
def test_a_bad_array_names_the_record_and_reason(data, message):
    with pytest.raises(ValueError, match=message):
        array(data)


def test_a_valid_surrogate_pair_is_one_character():
    assert lines(b'{"a": "\\ud83d\\ude42"}') == [("line 1", {"a": "🙂"})]
