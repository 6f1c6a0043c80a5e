"""Versions score the two responses of every pair of a frozen suite."""

from django.conf import settings

from worker.jobs.dataset import passages, turns_of
from worker.jobs.loading import model_of
from worker.models import Job, Suite, SuitePair, SuiteScore, Version
from worker.progress import Progress
from worker.rm.scoring import score
from worker.rm.types import PREFERENCE, Example
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
            scored = score(model_of(version), examples, settings.CACHE_DIR, progress.report)
            values = scored.heads[PREFERENCE].tolist()
            both = zip(pairs, values[::2], values[1::2], strict=True)
            rows += [SuiteScore(version=version, pair=pair, chosen=a, rejected=b) for pair, a, b in both]
            cut += int(scored.truncated.sum())
    known = known_prompts(suite, pairs)
    trained_on = sum(prompt_of(pair) in known for pair in pairs)
    result = {"suite": suite.name, "pairs": len(pairs), "truncated": cut, "trained_on": trained_on}
    return progress.finish(lambda: _store(suite, rows, result))


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
