"""RewardBench (arXiv 2403.13787) and RewardBench 2 (arXiv 2506.01937): chosen and rejected answers by subset. PURE."""

import re
from dataclasses import dataclass

from annotate.formats.fields import rest, strings, text
from annotate.formats.messages import turns
from annotate.formats.pairs import ranked
from annotate.formats.record import Record, make

OWN = ("id", "prompt", "chosen", "rejected", "chosen_model", "rejected_model", "models")
TIES = "ties"  # the subset whose questions have several right answers


@dataclass(frozen=True)
class Question:
    """A row of the second edition as it is: nothing is left out, also not what is blank or said twice."""

    turns: list[dict]
    right: list[str]
    wrong: list[str]
    subset: str
    name: str  # its id; of ties, ref:N or tied:N

    @property
    def ties(self) -> bool:
        return self.subset.lower() == TIES


def record(row: dict) -> Record:
    """The item of one row: chosen answers are equals, and above the rejected ones."""
    chosen, rejected = (_answers(row, name) for name in ("chosen", "rejected"))
    metadata = rest(row, *OWN)
    metadata |= {"id": row["id"]} if row.get("id") is not None else {}  # not unique in the published file
    return ranked(turns(row, "prompt"), [chosen, rejected], metadata=metadata)


def question(row: dict) -> Question | None:
    """What the second edition asks in this row; None for a row of the first, which is a pair. ValueError."""
    if _one(row, "chosen") and _one(row, "rejected"):
        return None
    chosen, rejected = ([answer["text"] for answer in _answers(row, name)] for name in ("chosen", "rejected"))
    name = "" if row.get("id") is None else str(row["id"])[:120]
    found = Question(turns(row, "prompt"), chosen, rejected, text(row, "subset", ""), name)
    make(turns=found.turns)
    if found.ties and not re.fullmatch(r"ref:[0-9]{1,9}|tied:[0-9]{1,9}", found.name):
        raise ValueError(f"'id' of a row of {found.subset} must be ref:N or tied:N, not {found.name!r}")
    if found.name.startswith("tied:") and found.ties and len(chosen) < 2:
        raise ValueError("a tied question needs two chosen answers or more")
    return found


def _answers(row: dict, name: str) -> list[dict]:
    """A string in the first edition, a list in the second, whose `models` name both lists one after the other."""
    if _one(row, name):
        return [{"text": row[name], "source": text(row, f"{name}_model", "")}]
    texts = strings(row, name)
    if not texts:
        raise ValueError(f"{name!r} is missing")
    models = strings(row, "models")
    models = models[: len(texts)] if name == "chosen" else models[len(models) - len(texts) :]
    sources = models if len(models) == len(texts) else [""] * len(texts)
    return [{"text": said, "source": source} for said, source in zip(texts, sources, strict=True)]


def _one(row: dict, name: str) -> bool:
    return isinstance(row.get(name), str) and not row[name].startswith('["')
