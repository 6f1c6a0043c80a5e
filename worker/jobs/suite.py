"""Versions score the answers of every pair and question of a frozen suite."""

from collections.abc import Iterator

import numpy as np
from django.conf import settings

from worker.jobs.dataset import passages, turns_of
from worker.jobs.scored import scored
from worker.models import Job, Suite, SuiteAnswer, SuiteAnswerScore, SuitePair, SuiteQuestion, SuiteScore, Version
from worker.progress import Progress
from worker.rm.transforms import RAW
from worker.rm.types import PREFERENCE, Example, Scored
from worker.services.standing import settle
from worker.services.suite import check_frozen, known_prompts, questions_of

BATCH = 2000


def run(job: Job, progress: Progress) -> dict:
    """params: suite (id), versions (ids). A version that has all its scores of the suite is not scored again."""
    suite = Suite.objects.get(pk=job.params["suite"], project=job.project)
    pairs, questions = list(suite.pairs.order_by("pk")), questions_of(suite)
    check_frozen(suite, pairs, questions)
    answers = [answer for question in questions for answer in question.answers.all()]
    examples = [*_of_pairs(pairs), *_of_questions(questions)]
    rows, cut, asked = [], 0, job.params["versions"]
    versions = list(Version.objects.filter(pk__in=asked, project=job.project).order_by("number"))
    new = [version for version in versions if not _whole(version, suite, len(pairs), len(answers))]
    for version in new:
        found = scored(version, examples, settings.CACHE_DIR, progress.report)
        rows += _rows(version, pairs, answers, _defined(found).tolist())
        cut += int(found.truncated.sum())
    known = known_prompts(suite)
    trained_on = sum(row.prompt_sha256 in known for row in (*pairs, *questions))
    result = {"suite": suite.name, "pairs": len(pairs), "truncated": cut, "trained_on": trained_on}
    result |= {"questions": len(questions)} if questions else {}
    return progress.finish(lambda: _store(suite, versions, new, rows, result))


def _whole(version: Version, suite: Suite, pairs: int, answers: int) -> bool:
    stored = version.suite_scores.filter(pair__suite=suite).count()
    return stored == pairs and version.suite_answer_scores.filter(answer__question__suite=suite).count() == answers


def _defined(found: Scored) -> np.ndarray:
    """(answers,) what the version gives; its raw score to all answers to a prompt that it has no reference of.

    A reference moves all of them alike, so that they stand as they would with one, but for what a clip makes equal.
    """
    values = found.heads[PREFERENCE]
    return np.where(np.isnan(values), found.heads.get(RAW, values), values)


def _of_pairs(pairs: list[SuitePair]) -> Iterator[Example]:
    """Chosen, then rejected, of each."""
    for pair in pairs:
        turns, context = turns_of(pair.turns), passages(pair.context)
        for n, text in enumerate((pair.chosen, pair.rejected)):
            yield Example(f"{pair.pk}:{n}", pair.prompt_sha256, turns, text, context)


def _of_questions(questions: list[SuiteQuestion]) -> Iterator[Example]:
    for question in questions:
        turns, context = turns_of(question.turns), passages(question.context)
        for answer in question.answers.all():
            yield Example(f"answer {answer.pk}", question.prompt_sha256, turns, answer.text, context)


def _rows(
    version: Version, pairs: list[SuitePair], answers: list[SuiteAnswer], values: list[float]
) -> list[SuiteScore | SuiteAnswerScore]:
    own, others = values[: 2 * len(pairs)], values[2 * len(pairs) :]
    both = zip(pairs, own[::2], own[1::2], strict=True)
    of_pairs = [SuiteScore(version=version, pair=pair, chosen=a, rejected=b) for pair, a, b in both]
    of_answers = zip(answers, others, strict=True)
    return of_pairs + [SuiteAnswerScore(version=version, answer=answer, value=v) for answer, v in of_answers]


def _store(
    suite: Suite, versions: list[Version], new: list[Version], rows: list[SuiteScore | SuiteAnswerScore], result: dict
) -> dict:
    """In place of what the new ones had, one job at a time, and how all of them stand now."""
    Suite.objects.select_for_update(no_key=True).get(pk=suite.pk)
    SuiteScore.objects.filter(pair__suite=suite, version__in=new).delete()
    SuiteAnswerScore.objects.filter(answer__question__suite=suite, version__in=new).delete()
    for model in (SuiteScore, SuiteAnswerScore):
        model.objects.bulk_create((row for row in rows if isinstance(row, model)), batch_size=BATCH)
    settle(suite, versions)
    return result | {"scored": len(rows)}
