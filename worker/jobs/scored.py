"""What a version says of examples: its model's scores, then its transforms. Jobs, commands and the server call this."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from worker.jobs.loading import model_of
from worker.models import Reference, Version
from worker.rm.scoring import score
from worker.rm.transforms import RAW, References, Step, read, sources, transformed
from worker.rm.types import PREFERENCE, Example, Report, Scored, silent

ASKED = 500  # prompts looked up at a time; SQLite takes so many parameters
WHY = "no reference answer to its prompt is known to this version"  # said where a transformed score is NaN


def scored(
    version: Version, examples: Sequence[Example], cache_dir: Path | None = None, report: Report = silent
) -> Scored:
    """Every head of every example in their order; with transforms "raw" as well, and NaN where they are not defined.

    Equal texts are scored once, so that they tie to the last bit. ValueError names the first example whose score is
    no number: a broken model never passes for a good one.
    """
    found = _once(model_of(version), examples, cache_dir, report)
    _refuse_no_number(found, examples)
    if not version.transforms:
        return found
    steps, raw = read(version.transforms), found.heads[PREFERENCE]
    prompts = [example.group for example in examples]
    values = transformed(steps, raw, prompts, _references(version, steps, prompts))
    return Scored({**found.heads, PREFERENCE: values, RAW: raw}, found.tokens, found.truncated)


def _once(model: object, examples: Sequence[Example], cache_dir: Path | None, report: Report) -> Scored:
    places: dict[tuple, int] = {}
    which = [places.setdefault((one.turns, one.context, one.response), len(places)) for one in examples]
    distinct = list(dict(zip(which, examples, strict=True)).values())
    found = score(model, distinct, cache_dir, report)
    heads = {head: values[which] for head, values in found.heads.items()}
    return Scored(heads, found.tokens[which], found.truncated[which])


def _refuse_no_number(found: Scored, examples: Sequence[Example]) -> None:
    for head, values in found.heads.items():
        if not np.isfinite(values).all():
            place = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"{examples[place].key}: the model's {head} is not a number")


def _references(version: Version, steps: Sequence[Step], prompts: Sequence[str]) -> References:
    wanted, known = sources(steps), {source: {} for source in sources(steps)}
    distinct = list(dict.fromkeys(prompts)) if wanted else []
    for start in range(0, len(distinct), ASKED):
        rows = Reference.objects.filter(version=version, prompt_sha256__in=distinct[start : start + ASKED])
        for prompt, source, scores in rows.filter(source__in=wanted).values_list("prompt_sha256", "source", "scores"):
            known[source][prompt] = np.array(scores)
    return known
