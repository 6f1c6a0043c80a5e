"""Why a version gives the answers of a file their scores."""

from collections.abc import Sequence
from typing import BinaryIO

from worker.jobs.explained import explained, fields_of, wanted
from worker.jobs.files import answers
from worker.jobs.loading import model_of
from worker.models import Version
from worker.rm.types import Report, TokenAttribution, silent


def attribute_file(
    version: Version, file: BinaryIO, heads: Sequence[str], methods: Sequence[str], report: Report = silent
) -> dict:
    """{"rows", "left_out"}: a row per line, head and method, in this order; left out is what cannot be, and why.

    A row has tokens, units and layers with contributions, features and baseline; the sum of those, residual and score.
    ValueError where a head or a method does not exist, and where nothing can be done of what was asked for.
    """
    if unknown := [head for head in heads if head not in version.heads]:
        raise ValueError(f"{version} has no head {unknown[0]!r}; it has {', '.join(version.heads)}.")
    model, examples = model_of(version), [example for _, example in answers(file)]
    pairs, left_out = wanted(model, {"heads": heads, "methods": methods})
    if not pairs:
        raise ValueError(left_out[0]["why"])
    rows = [
        (n, heads.index(told.head), list(pairs).index(method), _plain(int(examples[n].key.split()[-1]), told))
        for method, own in pairs.items()
        for n, told in explained(model, examples, method, own, report)
    ]
    return {"rows": [row for *_, row in sorted(rows, key=lambda row: row[:3])], "left_out": left_out}


def _plain(line: int, told: TokenAttribution) -> dict:
    found = fields_of(told)
    for part in ("tokens", "units", "layers"):
        found[part] = [{"contribution" if k == "value" else k: v for k, v in one.items()} for one in found[part]]
    own = (layer[1] for layer in told.layers) if told.layers else (token.value for token in told.tokens)
    return {"line": line, "sum": told.baseline + sum(told.features.values()) + sum(own)} | found
