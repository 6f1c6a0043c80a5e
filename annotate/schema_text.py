"""A schema as people write it: JSON text in, a Schema out, or messages that name the field and the line. PURE."""

import json
import re
from json.decoder import JSONDecoder

from pydantic import ValidationError

from annotate.formats.rows import json_object
from annotate.schema import Schema

GAP = re.compile(r"[\s:,]*")
PATH = tuple[str | int, ...]


class SchemaError(ValueError):
    """The text is no schema; `messages` says why, one line per mistake."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def write_schema(schema: Schema) -> str:
    """The schema as indented JSON, to be edited and read again."""
    return json.dumps(schema.model_dump(mode="json"), indent=2, ensure_ascii=False)


def read_schema(text: str) -> Schema:
    """The schema that the text says. Raises SchemaError with one message per mistake."""
    try:
        return Schema.model_validate(json_object(text))
    except json.JSONDecodeError as error:
        raise SchemaError([f"Line {error.lineno}, column {error.colno}: not JSON: {error.msg}."]) from None
    except ValidationError as error:
        raise SchemaError([_message(text, mistake) for mistake in error.errors()]) from None
    except ValueError as error:
        raise SchemaError([f"Line 1, schema: {error}."]) from None


def _message(text: str, mistake: dict) -> str:
    path = tuple(step for step in mistake["loc"] if step != "[key]")
    line = text.count("\n", 0, locate(text, path)) + 1
    name = " ".join(f"{step + 1}" if isinstance(step, int) else step for step in path) or "schema"
    return f"Line {line}, {name}: {mistake['msg'].removeprefix('Value error, ')}."


def locate(text: str, path: PATH) -> int:
    """The offset where the value at the path begins; of the nearest value around it, if it is missing."""
    at = GAP.match(text, 0).end()
    for step in path:
        inner = dict(_members(text, at)) if text[at] in "{[" else {}
        if step not in inner:
            return at
        at = inner[step]
    return at


def _members(text: str, at: int) -> list[tuple[str | int, int]]:
    """Key or index of each member of the object or list that opens at `at`, and where its value begins."""
    decode, found, is_object = JSONDecoder().raw_decode, [], text[at] == "{"
    at = GAP.match(text, at + 1).end()
    while text[at] not in "}]":
        key = len(found)
        if is_object:
            key, at = decode(text, at)
            at = GAP.match(text, at).end()
        found.append((key, at))
        at = GAP.match(text, decode(text, at)[1]).end()
    return found
