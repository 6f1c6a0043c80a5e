"""RewardBench (arXiv 2403.13787) and RewardBench 2 (arXiv 2506.01937): chosen and rejected answers by subset. PURE."""

from annotate.formats.fields import rest, strings, text
from annotate.formats.messages import turns
from annotate.formats.pairs import ranked
from annotate.formats.record import Record

OWN = ("id", "prompt", "chosen", "rejected", "chosen_model", "rejected_model", "models")


def record(row: dict) -> Record:
    """The item of one row: chosen answers are equals, and above the rejected ones."""
    chosen, rejected = (_answers(row, name) for name in ("chosen", "rejected"))
    metadata = rest(row, *OWN)
    metadata |= {"id": row["id"]} if row.get("id") is not None else {}  # not unique in the published file
    return ranked(turns(row, "prompt"), [chosen, rejected], metadata=metadata)


def _answers(row: dict, name: str) -> list[dict]:
    """A string in the first edition, a list in the second, whose `models` name both lists one after the other."""
    if isinstance(row.get(name), str) and not row[name].startswith('["'):
        return [{"text": row[name], "source": text(row, f"{name}_model", "")}]
    texts = strings(row, name)
    if not texts:
        raise ValueError(f"{name!r} is missing")
    models = strings(row, "models")
    models = models[: len(texts)] if name == "chosen" else models[len(models) - len(texts) :]
    sources = models if len(models) == len(texts) else [""] * len(texts)
    return [{"text": said, "source": source} for said, source in zip(texts, sources, strict=True)]
