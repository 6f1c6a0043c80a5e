"""How versions stand on suites: their scores of the frozen rows → credits, kept with each version as they are stored.

Whoever stores scores of a suite calls `settle` in the same transaction; pages read what it kept, however many rows
there are.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction
from django.db.models import Count, Max, Q

from annotate.agreement import Interval, wilson
from annotate.models import Project, User
from annotate.services.event import record
from worker import suites
from worker.models import Job, Suite, SuiteAnswerScore, SuiteScore, Summary, Version
from worker.models.job import JobKind
from worker.models.suite import QuestionKind
from worker.services.job import launch
from worker.services.summary import keep_all, packed, unpacked


def measure(
    *, suite: Suite, versions: Sequence[Version], actor: User | None = None, queue: str = "cpu", **params: object
) -> Job:
    """A job that scores the suite by these versions."""
    params |= {"suite": suite.pk, "versions": [version.pk for version in versions]}
    return launch(project=suite.project, kind=JobKind.EVALUATE, params=params, actor=actor, queue=queue)


def measure_new(*, version: Version, actor: User | None = None, queue: str = "cpu") -> list[Job]:
    """A job for each suite of the project that wants it, so that a new version stands on them without being asked."""
    suites_of = version.project.suites.filter(each_version=True).select_related("project").order_by("pk")
    return [measure(suite=suite, versions=[version], actor=actor, queue=queue) for suite in suites_of]


@transaction.atomic
def measure_each(*, suite: Suite, on: bool, actor: User | None = None) -> None:
    """From now on measure every new version on the suite, or only those that somebody asks for."""
    if suite.each_version != on:
        suite.each_version = on
        suite.save(update_fields=["each_version"])
        record(kind="suite.each_version", subject=suite, project=suite.project, actor=actor, on=on)


# ---- Rows and their marks


@dataclass(frozen=True)
class Sheet:
    """A suite's rows in columns: its pairs, then its questions, each in the order of their ids."""

    pairs: int  # how many of the rows are pairs
    ids: np.ndarray
    category: np.ndarray  # of str
    prompt: np.ndarray  # sha256
    name: tuple[str, ...]  # of the questions
    ties: np.ndarray
    chance: np.ndarray  # the credit that scores by lot get

    def place(self, ids: np.ndarray, questions: bool = False) -> np.ndarray:
        """(n,) rows of these ids, all of which there are."""
        start = self.pairs if questions else 0
        return start + np.searchsorted(self.ids[start:] if questions else self.ids[: self.pairs], ids)


def sheet(suite: Suite) -> Sheet:
    """The suite's rows, without their texts."""
    pairs = list(suite.pairs.order_by("pk").values_list("pk", "category", "prompt_sha256"))
    counted = suite.questions.annotate(n=Count("answers"), right=Count("answers", filter=Q(answers__correct=True)))
    fields = ("pk", "category", "prompt_sha256", "name", "kind", "right", "n")
    questions = list(counted.order_by("pk").values_list(*fields))
    ids, category, prompt = (np.array([row[at] for row in (*pairs, *questions)]) for at in range(3))
    ties = [row[4] == QuestionKind.TIES for row in questions]
    luck = [suites.chance(row[5], row[6], tie) for row, tie in zip(questions, ties, strict=True)]
    return Sheet(
        len(pairs),
        ids,
        category,
        prompt,
        tuple(row[3] for row in questions),
        np.array([False] * len(pairs) + ties),
        np.array([0.5] * len(pairs) + luck),
    )


@dataclass(frozen=True)
class Marks:
    """What a version's scores give for each row of a sheet; NaN where it has not scored one."""

    credit: np.ndarray
    margin: np.ndarray
    spread: np.ndarray

    @property
    def known(self) -> np.ndarray:
        return ~np.isnan(self.credit)


def marks(suite: Suite, rows: Sheet, version: Version) -> Marks:
    """The version's marks on the suite."""
    found = Marks(*(np.full(len(rows.ids), np.nan) for _ in range(3)))
    scored = SuiteScore.objects.filter(version=version, pair__suite=suite).values_list("pair", "chosen", "rejected")
    if table := list(scored):
        pair, chosen, rejected = (np.array(column) for column in zip(*table, strict=True))
        at = rows.place(pair)
        found.credit[at], found.margin[at] = suites.pairs(chosen, rejected)
    if rows.pairs < len(rows.ids):
        _answers(suite, rows, version, found)
    return found


def _answers(suite: Suite, rows: Sheet, version: Version, found: Marks) -> None:
    scored = SuiteAnswerScore.objects.filter(version=version, answer__question__suite=suite)
    table = list(scored.values_list("answer__question", "answer__correct", "value"))
    if not table:
        return
    question, right, values = (np.array(column) for column in zip(*table, strict=True))
    asked, which = np.unique(question, return_inverse=True)
    at = rows.place(asked, questions=True)
    told = suites.answered(which, right, values, rows.ties[at])
    found.credit[at], found.margin[at], found.spread[at] = told.credit, told.margin, told.spread


# ---- Standings


@dataclass(frozen=True)
class Standing:
    """A version on a suite: its accuracy on all rows, by category, and by RewardBench's own rules where they apply."""

    version: Version
    made_of: str  # count and last id of its scores of the suite: with new ones it is another
    accuracy: Interval
    categories: dict[str, Interval]  # of ties: their score
    sections: dict[str, Interval] = field(default_factory=dict)
    ties: dict[str, dict] = field(default_factory=dict)  # the parts of the score of each category of ties


def leaderboard(suite: Suite) -> list[Standing]:
    """Every version that was measured on the suite, best first. Equal scores count half."""
    return standings(suite.project, [suite])[suite.pk]


def standings(project: Project, wanted: Iterable[Suite]) -> dict[int, list[Standing]]:
    """Suite id → every version that was measured on it, best first."""
    names = {_name(suite): suite.pk for suite in wanted}
    found: dict[int, list[Standing]] = {pk: [] for pk in names.values()}
    for row in Summary.objects.filter(version__project=project, name__in=names).select_related("version"):
        found[names[row.name]].append(_standing(row))
    return {pk: _best_first(rows) for pk, rows in found.items()}


def _name(suite: Suite) -> str:
    return f"suite {suite.pk}"


def _best_first(rows: Iterable[Standing]) -> list[Standing]:
    return sorted(rows, key=lambda row: (-row.accuracy.value, -row.version.number))


def made_of(version: Version, suite: Suite) -> str:
    """As in Standing; "" where the version was not measured on the suite."""
    return Summary.objects.filter(version=version, name=_name(suite)).values_list("made_of", flat=True).first() or ""


def settle(suite: Suite, versions: Sequence[Version]) -> None:
    """Keep how these versions stand, and what they get for each row: to be called where their scores are stored."""
    rows, kept = sheet(suite), []
    for version in versions:
        found = marks(suite, rows, version)
        if found.known.any():
            about = {"version": version, "made_of": _scored_rows(version, suite)}
            kept.append(Summary(name=_name(suite), values=counts(rows, found), **about))
            kept.append(Summary(name=f"{_name(suite)} rows", values={"credit": packed(found.credit, "<f8")}, **about))
    keep_all(rows=kept)


def unsettled(suite: Suite) -> list[Version]:
    """Versions whose scores of the suite give another standing than the one that is kept."""
    rows, wrong = sheet(suite), []
    scored = (
        SuiteScore.objects.filter(pair__suite=suite),
        SuiteAnswerScore.objects.filter(answer__question__suite=suite),
    )
    ids = {pk for one in scored for pk in one.values_list("version", flat=True).distinct()}
    kept = {row.version_id: row for row in Summary.objects.filter(name=_name(suite))}
    for version in Version.objects.filter(pk__in=ids).order_by("pk"):
        row, found = kept.get(version.pk), marks(suite, rows, version)
        right = json.loads(json.dumps(counts(rows, found)))
        if row is None or (row.made_of, row.values) != (_scored_rows(version, suite), right):
            wrong.append(version)
    return wrong


def _scored_rows(version: Version, suite: Suite) -> str:
    rows = (
        version.suite_scores.filter(pair__suite=suite),
        version.suite_answer_scores.filter(answer__question__suite=suite),
    )
    counted = [one.aggregate(n=Count("pk"), last=Max("pk")) for one in rows]
    return " ".join(f"{version.pk}:{one['n']}:{one['last']}" for one in counted if one["n"])


def credits(suite: Suite, versions: Iterable[int]) -> dict[int, np.ndarray]:
    """Version id → what it gets for each row of the sheet, as `settle` kept it; NaN where it has not scored one."""
    rows = Summary.objects.filter(version__in=versions, name=f"{_name(suite)} rows")
    return {row.version_id: unpacked(row.values["credit"], "<f8") for row in rows}


def counts(rows: Sheet, found: Marks) -> dict:
    """Plain values: {"cells": {category: [sum of credits, rows]}, "ties": {category: score and its parts}}."""
    names, which = np.unique(rows.category[found.known], return_inverse=True)
    credit, n = np.bincount(which, found.credit[found.known]), np.bincount(which)
    cells = {str(name): [float(one), int(many)] for name, one, many in zip(names, credit, n, strict=True)}
    return {"cells": cells, "ties": _ties(rows, found)}


def _ties(rows: Sheet, found: Marks) -> dict:
    told = {}
    for category in np.unique(rows.category[rows.ties & found.known]).tolist():
        at = np.flatnonzero((rows.category == category) & rows.ties & found.known)
        score = suites.ties_score([rows.name[i - rows.pairs] for i in at], found.margin[at], found.spread[at])
        if score:
            told[category] = vars(score) | {"score": score.score.as_dict()}
    return told


def _standing(row: Summary) -> Standing:
    cells = {name: tuple(cell) for name, cell in row.values["cells"].items()}
    categories = {name: wilson(*cell) for name, cell in cells.items()}
    categories |= {name: Interval(**({"why": ""} | one["score"])) for name, one in row.values["ties"].items()}
    own = suites.sections(cells)
    if whole := suites.second(categories):
        own["RewardBench 2"] = whole
    won, n = (sum(column) for column in zip(*cells.values(), strict=True))
    return Standing(row.version, row.made_of, wilson(min(won, n), n), categories, own, row.values["ties"])
