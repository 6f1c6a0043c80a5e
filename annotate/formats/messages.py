"""Conversations as other tools write them: a string, or messages {"role", "content"}. PURE."""

from annotate.formats import fields

ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant", "model": "assistant"}
ROLES |= {"system": "system", "developer": "system"}


def listed(value: object) -> bool:
    """Are these messages, be it as JSON text in the cell of a table?"""
    return isinstance(value, list) or (isinstance(value, str) and value.lstrip().startswith('[{"'))


def turns(row: dict, name: str) -> list[dict]:
    """The turns at `name`; a string that is no list is one turn of the user."""
    value = row.get(name)
    if isinstance(value, str) and not listed(value):
        return [{"role": "user", "content": value}]
    if name not in row or value is None:
        raise ValueError(f"{name!r} is missing")
    return [_turn(message, name) for message in fields.objects(row, name)]


def answer(row: dict, name: str) -> str:
    """The one answer at `name`: a string, or a list of one message of the assistant."""
    if isinstance(row.get(name), str) and not listed(row[name]):
        return row[name]
    said = turns(row, name)
    if len(said) != 1 or said[0]["role"] != "assistant":
        raise ValueError(f"{name!r} must be one message of the assistant")
    return said[0]["content"]


def _turn(message: dict, name: str) -> dict:
    role = ROLES.get(str(message.get("role", message.get("from"))))
    if role is None:
        raise ValueError(f"{name!r} holds a message whose role is none of {', '.join(ROLES)}")
    content = message.get("content", message.get("value"))
    if isinstance(content, list):  # the parts of a message; only text is read
        content = "\n".join(part["text"] for part in content if _is_text(part, name))
    if not isinstance(content, str):
        raise ValueError(f"{name!r} holds a message whose content is not text")
    return {"role": role, "content": content}


def _is_text(part: object, name: str) -> bool:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return True
    raise ValueError(f"{name!r} holds a part of a message that is not text")
