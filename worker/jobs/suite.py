"""Versions score the two responses of every pair of a frozen suite."""

import numpy as np
from django.conf import settings

from worker.jobs.dataset import passages, turns_of
from worker.jobs.scored import scored
from worker.models import Job, Suite, SuitePair, SuiteScore, Version
from worker.progress import Progress
from worker.rm.transforms import RAW
from worker.rm.types import PREFERENCE, Example, Scored
from worker.services.suite import check_frozen, known_prompts, prompt_of

BATCH = 2000


def run(job: Job, progress: Progress) -> dict:
    """params: suite (id), versions (ids). A version that has all its scores of the suite is not scored again."""
    suite = Suite.objects.get(pk=job.params["suite"], project=job.project)
    pairs = list(suite.pairs.order_by("pk"))
    check_frozen(suite, pairs)
    examples = [example for pair in pairs for example in _examples(pair)]
    rows, cut = [], 0
    for version in Version.objects.filter(pk__in=job.params["versions"], project=job.project).order_by("number"):
        if version.suite_scores.filter(pair__suite=suite).count() < len(pairs):
            found = scored(version, examples, settings.CACHE_DIR, progress.report)
            values = _defined(found).tolist()
            both = zip(pairs, values[::2], values[1::2], strict=True)
            rows += [SuiteScore(version=version, pair=pair, chosen=a, rejected=b) for pair, a, b in both]
            cut += int(found.truncated.sum())
    known = known_prompts(suite, pairs)
    trained_on = sum(prompt_of(pair) in known for pair in pairs)
    result = {"suite": suite.name, "pairs": len(pairs), "truncated": cut, "trained_on": trained_on}
    return progress.finish(lambda: _store(suite, rows, result))


def _defined(found: Scored) -> np.ndarray:
    """(2 · pairs,) what the version gives; its raw score to both responses of a prompt that it has no reference of.

    A reference moves both alike, so that a pair stands as it would with one, but for what a clip makes equal.
    """
    values = found.heads[PREFERENCE]
    return np.where(np.isnan(values), found.heads.get(RAW, values), values)


def _examples(pair: SuitePair) -> list[Example]:
    """Chosen, then rejected."""
    prompt, turns, context = prompt_of(pair), turns_of(pair.turns), passages(pair.context)
    return [
        Example(f"{pair.pk}:{n}", prompt, turns, text, context) for n, text in enumerate((pair.chosen, pair.rejected))
    ]


def _store(suite: Suite, rows: list[SuiteScore], result: dict) -> dict:
    SuiteScore.objects.filter(pair__suite=suite, version__in={row.version_id for row in rows}).delete()
    SuiteScore.objects.bulk_create(rows, batch_size=BATCH)
    return result | {"scored": len(rows)}
