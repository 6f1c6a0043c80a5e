"""Why a version gives the answers of a file their scores."""

from typing import BinaryIO

from worker.jobs.files import answers
from worker.jobs.loading import model_of
from worker.models import Version
from worker.rm.attribution import attribute
from worker.rm.types import Report, TokenAttribution, silent


def attribute_file(version: Version, file: BinaryIO, head: str, method: str, report: Report = silent) -> list[dict]:
    """Per row: tokens with contributions, features, baseline; sum (of those three), residual and score."""
    if head not in version.heads:
        raise ValueError(f"{version} has no head {head!r}; it has {', '.join(version.heads)}.")
    model, rows = model_of(version), list(answers(file))
    told = []
    for done, (_, example) in enumerate(rows):
        told.append({"line": int(example.key.split()[-1])} | _plain(attribute(model, example, head, method=method)))
        report(f"explaining by {method}", done + 1, len(rows), {})
    return told


def _plain(told: TokenAttribution) -> dict:
    tokens = [
        {"text": t.text, "start": t.start, "end": t.end, "part": t.part, "contribution": t.value} for t in told.tokens
    ]
    total = told.baseline + sum(told.features.values()) + sum(token.value for token in told.tokens)
    return {
        "tokens": tokens,
        "features": dict(told.features),
        "baseline": told.baseline,
        "sum": total,
        "residual": told.residual,
        "score": told.score,
    }
