import json

import pytest

from annotate.schema import DEFAULT
from annotate.schema_text import SchemaError, locate, read_schema, write_schema

TEXT = """{
  "categories": [
    {"key": "wrong", "label": "Wrong, \\"quite\\" [wrong]"},
    {"key": "Not A Key", "label": "Bad"}
  ],
  "criteria": [
    {
      "key": "helpful",
      "label": "Helpful",
      "low": 5,
      "high": 5
    }
  ],
  "colour": 1,
  "rationale": "perhaps"
}"""


def test_what_is_written_can_be_read():
    assert read_schema(write_schema(DEFAULT)) == DEFAULT


def test_each_mistake_names_its_line_and_field():
    with pytest.raises(SchemaError) as caught:
        read_schema(TEXT)
    starts = [message.split(":")[0] for message in caught.value.messages]
    assert starts == [
        "Line 4, categories 2 key",
        "Line 7, criteria 1",
        "Line 15, rationale",
        "Line 14, colour",
    ]
    assert "high must be 1 to 9 above low" in str(caught.value)


def test_a_missing_field_points_at_what_lacks_it():
    with pytest.raises(SchemaError, match="Line 3, categories 1 label: Field required"):
        read_schema('{\n"categories": [\n{"key": "wrong"}]}')


@pytest.mark.parametrize(
    ("text", "start"), [("{\n  oops", "Line 2, column 3"), ("", "Line 1, column 1"), ("[]", "Line 1, schema")]
)
def test_what_is_no_object_is_refused(text, start):
    with pytest.raises(SchemaError, match=start):
        read_schema(text)


def test_every_value_is_found_where_it_stands():
    value = {"a": [1, {"b": [], "c, }": "]"}, [[2]]], "d": {"a": None}}
    text = json.dumps(value, indent=1)
    for path in [(), ("a",), ("a", 0), ("a", 1, "c, }"), ("a", 2, 0, 0), ("d", "a")]:
        want = value
        for step in path:
            want = want[step]
        assert json.JSONDecoder().raw_decode(text, locate(text, path))[0] == want


NUL, HALF, INFINITE = '"label": "\\u0000"', '"label": "\\ud800"', '"label": "b", "weight": 1e999'


@pytest.mark.parametrize(
    "part", [NUL, HALF, INFINITE, '"label": NaN', '"low": ' + "9" * 5000, '"low": ' + "[" * 100_000]
)
def test_what_cannot_be_stored_is_no_schema(part):
    with pytest.raises(SchemaError, match="Line 1, "):
        read_schema('{"criteria": [{"key": "a", ' + part + "}]}")
