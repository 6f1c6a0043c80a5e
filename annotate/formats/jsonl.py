"""Our own format, one item a line, with nothing lost: docs/formats.md. PURE.

`prompt` may stand for a conversation of one turn, and a plain string for a response or a passage.
"""

from annotate.formats.record import Record, make


def record(row: dict) -> Record:
    """The item of one line."""
    values = dict(row)
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
