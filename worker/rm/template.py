"""Turns as text: plain, or as the tokenizer's own chat template lays them out. PURE: no torch."""

import re
from collections.abc import Sequence
from typing import Any

Turns = Sequence[tuple[str, str]]  # (role, content)
Layout = tuple["str | int", ...]  # what the template writes itself, and the places of contents by position

DATE = "26 Jul 2024"  # templates that write today's date would score an answer differently each day
_MARK = "\ue000{}\ue001"  # private use: in no template
_MARKED = re.compile("\ue000(\\d+)\ue001")


def prompt_text(turns: Turns) -> str:
    """The turns as one text, each led by its role; a lone user turn stands bare."""
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "\n".join(f"{role}: {content}" for role, content in turns)


def layout(tokenizer: Any, roles: Sequence[str]) -> Layout:
    """What the chat template makes of turns with these roles and an answer: literals, and positions of the contents.

    The answer is the content at position len(roles). Contents are put in later as text, so none of them can pass for
    a special token, and offsets into them stay exact. Raises ValueError where the template refuses the roles, leaves
    a turn out, or prints the answer otherwise than once and last.
    """
    turns = [{"role": role, "content": _MARK.format(n)} for n, role in enumerate((*roles, "assistant"))]
    parts = _MARKED.split(_rendered(tokenizer, turns))
    found = tuple(int(part) if n % 2 else part for n, part in enumerate(parts))
    places = [part for part in found if isinstance(part, int)]
    if set(places) != set(range(len(turns))) or places[-1] != len(roles) or places.count(len(roles)) != 1:
        raise ValueError(_advice(roles, "leaves a turn out, or changes the order"))
    return tuple(part for part in found if part != "")


def _rendered(tokenizer: Any, turns: list[dict[str, str]]) -> str:
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template(turns, tokenize=False, date_string=DATE)
    except TemplateError as error:
        raise ValueError(_advice([turn["role"] for turn in turns[:-1]], f"says: {error}")) from None


def _advice(roles: Sequence[str], reason: str) -> str:
    return (
        f"the chat template does not take the turns {', '.join(roles)} and an answer: it {reason}. Use template plain"
    )
