"""Rows of a pool as ranked answers: for the page of best-of-n and for its files."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from inspector.stats.selection import Curve, Summary, choose, ranking
from worker.models import Candidate, CandidateScore, Pool, Version
from worker.models.pool import CandidateQuerySet
from worker.models.version import PREFERENCE

COLUMNS = ("prompt", "response", "index", "score", "gold", "rank", "of", "chosen", "tied")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that begins with one


@dataclass(frozen=True)
class Answer:
    candidate: Candidate
    score: float
    rank: int
    chosen: bool


@dataclass(frozen=True)
class Ranked:
    """All scored answers to one prompt, from the best on."""

    answers: list[Answer]
    tied: int  # others of the first n that score as the chosen does

    @property
    def chosen(self) -> Answer:
        return next(answer for answer in self.answers if answer.chosen)


def prompts(pool: Pool, words: str = "") -> CandidateQuerySet:
    """The hashes of the pool's prompts, in order: all, or those where a prompt or a candidate holds the words."""
    rows = pool.candidates.holding(words) if words else pool.candidates.all()
    return rows.order_by("prompt_sha256").values_list("prompt_sha256", flat=True).distinct()


def ranked(version: Version, pool: Pool, n: int, only: Iterable[str] | None = None) -> Iterator[Ranked]:
    """Prompt by prompt; a prompt with fewer than n scored candidates chooses among those it has."""
    rows = CandidateScore.objects.filter(version=version, candidate__pool=pool, head=PREFERENCE)
    rows = rows if only is None else rows.filter(candidate__prompt_sha256__in=only)
    rows = rows.select_related("candidate").order_by("candidate__prompt_sha256", "candidate__index")
    for _, group in groupby(rows.iterator(2000), key=attrgetter("candidate.prompt_sha256")):
        yield _ranked(list(group), n)


def _ranked(scores: list[CandidateScore], n: int) -> Ranked:
    values = [score.value for score in scores]
    choice = choose(values, min(n, len(values)))
    answers = [Answer(scores[p].candidate, values[p], rank, p == choice.place) for rank, p in ranking(values)]
    return Ranked(answers, choice.tied)


def sentence(n: int, told: Summary, curve: Curve) -> str:
    """What choosing the best of n gives, beside one answer by chance and beside the n that gives most."""
    words = f"Choosing the best of {n} gives a gold of {told.expected_gold:.3f} on average over all draws of {n}; "
    words += f"one answer by chance gives {told.random_gold:.3f}. "
    most = f"best of {curve.n[curve.best]}, at {curve.gold[curve.best]:.3f}"
    return f"{words}Gold is highest at {most}.".replace("-", "−")


def lines(found: Iterable[Ranked], *, every: bool, format: str) -> Iterator[str]:
    """The chosen answers, or all of them: JSON lines that can be scored again, or CSV with a header."""
    if format == "csv":
        yield _cells(COLUMNS)
    for one in found:
        for answer in one.answers if every else [one.chosen]:
            row = _row(one, answer)
            yield _cells([row[name] for name in COLUMNS]) if format == "csv" else _line(row, answer)


def _row(one: Ranked, answer: Answer) -> dict:
    candidate = answer.candidate
    return {
        "prompt": candidate.prompt,
        "response": candidate.text,
        "index": candidate.index,
        "score": answer.score,
        "gold": candidate.gold,
        "rank": answer.rank,
        "of": len(one.answers),
        "chosen": answer.chosen,
        "tied": one.tied,
    }


def _line(row: dict, answer: Answer) -> str:
    del row["prompt"]
    context = {"context": answer.candidate.context} if answer.candidate.context else {}
    row = {"turns": answer.candidate.turns} | context | row
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _cells(values: Iterable[object]) -> str:
    """One line of CSV; a text that a spreadsheet would run is led by an apostrophe."""
    out = io.StringIO()
    csv.writer(out).writerow([f"'{v}" if isinstance(v, str) and v.startswith(FORMULA) else v for v in values])
    return out.getvalue()
