"""HH-RLHF (Anthropic, arXiv 2204.05862): {"chosen": dialogue, "rejected": dialogue}. PURE.

Both dialogues share everything but the last answer. The file does not say which answer stood left, so the order is
made up: by the hash of the two texts, which knows nothing of the verdict. Order effects must not be read off it.
"""

import re

from annotate.formats.pairs import ranked
from annotate.formats.record import Record

SPEAKER = re.compile(r"\n\n(Human|Assistant):")
ROLES = {"Human": "user", "Assistant": "assistant"}
Turns = list[tuple[str, str]]


def record(row: dict) -> Record:
    """The item of one line, with the verdict that came with it; other fields become metadata."""
    chosen, chosen_answer = split(row, "chosen")
    rejected, rejected_answer = split(row, "rejected")
    if chosen != rejected:
        raise ValueError("chosen and rejected differ before the last answer")
    if chosen_answer == rejected_answer:
        raise ValueError("chosen and rejected are the same")
    metadata = {key: value for key, value in row.items() if key not in ("chosen", "rejected")}
    turns = [{"role": role, "content": content} for role, content in chosen]
    return ranked(turns, [[{"text": chosen_answer}], [{"text": rejected_answer}]], metadata=metadata)


def split(row: dict, name: str) -> tuple[Turns, str]:
    """The turns before the last answer, and that answer, white space around each taken off."""
    dialogue = row.get(name)
    if not isinstance(dialogue, str):
        raise ValueError(f"{name} must be a string")
    before, *parts = SPEAKER.split(dialogue)
    if before.strip() or not parts:
        raise ValueError(f"{name} does not start with a blank line and 'Human:'")
    turns = [(ROLES[who], said.strip()) for who, said in zip(parts[::2], parts[1::2], strict=True)]
    role, answer = turns.pop()
    if role != "assistant":
        raise ValueError(f"{name} does not end with an answer of the assistant")
    if not answer:
        raise ValueError(f"{name} ends with an empty answer")
    return turns, answer
