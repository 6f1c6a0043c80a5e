"""HelpSteer 1 and 2 (arXiv 2311.09528, 2406.08673): attributes of single responses, 0 to 4. PURE.

The responses to one prompt stand on lines one after the other; together they are one item, one verdict for each.
"""

import re
from collections.abc import Iterator

from annotate.formats.fields import Group, number, rest, text, together
from annotate.formats.pairs import alone
from annotate.formats.record import Record, make
from annotate.formats.rows import Rows

ATTRIBUTES = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
SPEAKER = re.compile(r"\s*<extra_id_1>(User|Assistant)\s*")


def groups(rows: Rows) -> Iterator[Group]:
    """Neighbouring lines of one prompt."""
    return together(rows, lambda row: str(row.get("prompt")))


def record(rows: list[dict]) -> Record:
    """The item of the lines of one prompt."""
    asked = conversation(text(rows[0], "prompt"))
    texts = list(dict.fromkeys(text(row, "response") for row in rows))
    verdicts = [
        alone(place, ratings={str(place): _ratings(row)}) for row in rows for place in [texts.index(row["response"])]
    ]
    about = {text(row, "response"): rest(row, "prompt", "response", *ATTRIBUTES) for row in rows}
    responses = [{"text": said, "metadata": about[said]} for said in texts]
    return make(turns=asked, responses=responses, judgements=verdicts)


def conversation(prompt: str) -> list[dict]:
    """The turns of a prompt; in HelpSteer 2 `<extra_id_1>` and a name lead all turns but the first."""
    first, *others = SPEAKER.split(prompt)
    turns = [{"role": "user", "content": first}]
    turns += [{"role": who.lower(), "content": said} for who, said in zip(others[::2], others[1::2], strict=True)]
    # The published prompts end with the name of who speaks next.
    return turns[:-1] if len(turns) > 1 and turns[-1] == {"role": "assistant", "content": ""} else turns


def _ratings(row: dict) -> dict:
    return {name: number(row, name) for name in ATTRIBUTES if row.get(name) is not None}
