"""Our own format, one item a line, with nothing lost: docs/formats.md. PURE.

`prompt` may stand for a conversation of one turn, and a plain string for a response or a passage. In a table (CSV, TSV,
Parquet) the cells of lists and objects are JSON texts. `cursor` says where an export goes on, and is passed by.
"""

import json

from annotate.formats.fields import listed, mapping
from annotate.formats.record import Record, make

LISTS = ("turns", "context", "responses", "judgements")


def record(row: dict) -> Record:
    """The item of one line."""
    values = {key: value for key, value in row.items() if key != "cursor"}
    for name in (*LISTS, "metadata"):
        if isinstance(values.get(name), str):
            values[name] = mapping(values, name) if name == "metadata" else listed(values, name)
    if "prompt" in values:
        if "turns" in values:
            raise ValueError("prompt and turns exclude each other")
        values["turns"] = [{"role": "user", "content": values.pop("prompt")}]
    for name in ("responses", "context"):
        if isinstance(parts := values.get(name), list):
            values[name] = [{"text": part} if isinstance(part, str) else part for part in parts]
    return make(**values)


def line(record: Record) -> str:
    """The line, without its end, that reads back as the same record."""
    return record.model_dump_json(exclude_defaults=True)


def dumps(row: dict) -> str:
    """Any row as one line: no line end inside, and every character as it is."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
