"""Suites: held-out pairs and questions that every version is measured on. Frozen: hashed when made, never changed."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from annotate.formats import Record, read, recognised, reward_bench
from annotate.formats.containers import rows
from annotate.formats.record import Turn, prompt_sha256
from annotate.formats.reward_bench import Question
from annotate.models import Project, Response, User
from annotate.models.item import Split
from annotate.services.event import record
from worker.models import Suite, SuiteAnswer, SuitePair, SuiteQuestion
from worker.models.suite import QuestionKind
from worker.services.snapshot import verdicts, verdicts_of

MOST_PAIRS, MOST_SHOWN = 50_000, 256  # what a page can show and a job score; k responses make k(k−1)/2 pairs
BATCH = 1000
CATEGORY = ("category", "subset", "section", "task")  # the first of these in an item's metadata names its category


@dataclass
class Election:
    """What people said of one pair of different texts: votes for each, and what stood around them."""

    turns: list
    context: list
    category: str
    votes: Counter = field(default_factory=Counter)


Elections = dict[tuple, Election]


@dataclass
class Found:
    """What a suite will hold, and the rows that say nothing of which answer is better."""

    elections: Elections = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    unsaid: int = 0


@transaction.atomic
def import_suite(*, project: Project, name: str, file: BinaryIO, format: str, actor: User | None = None) -> Suite:
    """A suite from a file of judged items in any format that items come in; all of it or nothing.

    A row of RewardBench 2 becomes a question with all its answers, anything else pairs. Raises ValidationError naming
    the line, a name that is taken, or that there is no decided pair.
    """
    found, answers = Found(), 0
    try:
        for where, one in _entries(file, format):
            if isinstance(one, Question):
                answers += _add(found, where, one)
            else:
                _take(found, where, one)
            if len(found.elections) + answers // 2 > MOST_PAIRS:
                raise ValueError(f"{where}: a suite holds at most {MOST_PAIRS:,} pairs; take a sample of them")
    except ValueError as error:
        raise ValidationError(str(error)) from None
    return _freeze(project, name, found, actor, source=format)


def _entries(file: BinaryIO, format: str) -> Iterator[tuple[str, Record | Question]]:
    """The rows of the file, each with its place; ValueError names the place of a bad one."""
    if recognised(file, format) != "reward-bench":
        yield from read(file, format)
        return
    file.seek(0)
    for where, row in rows(file):
        try:
            yield where, reward_bench.question(row) or reward_bench.record(row)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


def _add(found: Found, where: str, one: Question) -> int:
    """How many answers the question has."""
    answers = len(one.right) + len(one.wrong)
    if answers > MOST_SHOWN:
        raise ValueError(f"{where}: a question of a suite holds at most {MOST_SHOWN} answers")
    found.questions.append(one)
    return answers


def _take(found: Found, where: str, one: Record) -> None:
    """Add what the record's judgements say of its pairs."""
    values = one.model_dump(include={"turns", "context"}, mode="json")
    texts = [answer.text for answer in one.responses]
    found.unsaid += not one.judgements
    for said in one.judgements:
        if len(said.shown) > MOST_SHOWN:
            raise ValueError(f"{where}: a ranking of a suite holds at most {MOST_SHOWN} responses")
        pairs = verdicts(said.shown, said.outcome, said.ranking)
        _vote(found.elections, values, category_of(one.metadata), [(texts[a], texts[b], p) for a, b, p in pairs])


@transaction.atomic
def freeze_held_out(*, project: Project, name: str, actor: User | None = None) -> Suite:
    """What people have decided so far about the project's held-out prompts, as a suite. Raises ValidationError."""
    found = Found()
    texts = dict(Response.objects.filter(item__project=project).values_list("pk", "text"))
    rows = project.judgements.of_people().filter(item__split=Split.TEST).select_related("item").order_by("pk")
    for row in rows.iterator(chunk_size=2000):
        values = {"turns": row.item.turns, "context": row.item.context}
        pairs = [(texts[a], texts[b], p) for a, b, p in verdicts_of(row)]
        _vote(found.elections, values, category_of(row.item.metadata), pairs)
    return _freeze(project, name, found, actor, source="held out")


def category_of(metadata: dict) -> str:
    named = (metadata.get(name) for name in CATEGORY)
    return next((str(value)[:60] for value in named if isinstance(value, str | int) and value != ""), "")


def _vote(found: Elections, values: dict, category: str, pairs: Iterable[tuple[str, str, float]]) -> None:
    prompt = json.dumps([values["turns"], values["context"]], sort_keys=True)
    for first, second, p in pairs:
        if first != second:
            key = (prompt, *sorted((first, second)))
            election = found.setdefault(key, Election(**values, category=category))
            election.votes[first if p > 0.5 else second if p < 0.5 else None] += 1


def _freeze(project: Project, name: str, found: Found, actor: User | None, source: str) -> Suite:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # two of one name
    if project.suites.filter(name=name).exists():
        raise ValidationError(f"The project has a suite {name!r} already.")
    every = found.elections
    decided = {key: one for key, one in every.items() if one.votes[key[1]] != one.votes[key[2]]}
    if not (decided or found.questions):
        raise ValidationError("There is no pair of which one response was preferred.")
    suite = Suite.objects.create(project=project, name=name, created_by=actor)
    SuitePair.objects.bulk_create((_pair(suite, key, one) for key, one in decided.items()), batch_size=BATCH)
    _ask(suite, found.questions)
    suite.sha256 = digest(suite.pairs.all(), questions_of(suite))
    suite.save(update_fields=["sha256"])
    record(
        kind="suite.frozen", subject=suite, project=project, actor=actor, pairs=len(decided), source=source,
        questions=len(found.questions), undecided=len(every) - len(decided), unsaid=found.unsaid,
    )  # fmt: skip
    return suite


def _pair(suite: Suite, key: tuple, one: Election) -> SuitePair:
    _, first, second = key
    chosen, rejected = (first, second) if one.votes[first] > one.votes[second] else (second, first)
    about = {"turns": one.turns, "context": one.context, "category": one.category}
    return SuitePair(suite=suite, chosen=chosen, rejected=rejected, prompt_sha256=_hash(one.turns), **about)


def _ask(suite: Suite, questions: Sequence[Question]) -> None:
    kinds = {True: QuestionKind.TIES, False: QuestionKind.BEST_OF}
    asked = [
        SuiteQuestion(
            suite=suite, category=one.subset[:60], kind=kinds[one.ties], name=one.name, turns=one.turns,
            prompt_sha256=_hash(one.turns),
        )
        for one in questions
    ]  # fmt: skip
    SuiteQuestion.objects.bulk_create(asked, batch_size=BATCH)
    answers = (
        SuiteAnswer(question=row, text=text, correct=correct)
        for row, one in zip(asked, questions, strict=True)
        for texts, correct in ((one.right, True), (one.wrong, False))
        for text in texts
    )
    SuiteAnswer.objects.bulk_create(answers, batch_size=BATCH)


def questions_of(suite: Suite) -> list[SuiteQuestion]:
    """In the order of the file, each with its answers read."""
    return list(suite.questions.order_by("pk").prefetch_related("answers"))


def digest(pairs: Iterable[SuitePair], questions: Iterable[SuiteQuestion] = ()) -> str:
    """sha256 of what the pairs and questions hold, whatever their order."""
    contents = [json.dumps([p.category, p.turns, p.context, p.chosen, p.rejected], sort_keys=True) for p in pairs]
    for one in questions:
        answers = sorted([answer.text, answer.correct] for answer in one.answers.all())
        contents.append(json.dumps([one.kind, one.name, one.category, one.turns, one.context, answers], sort_keys=True))
    return hashlib.sha256("\n".join(sorted(contents)).encode("utf-8", "surrogatepass")).hexdigest()


def check_frozen(suite: Suite, pairs: Sequence[SuitePair], questions: Sequence[SuiteQuestion] = ()) -> None:
    """ValueError where these are not what was frozen: their numbers could not be compared any more."""
    if digest(pairs, questions) != suite.sha256:
        raise ValueError(f"The pairs of suite {suite.name} are not those that were frozen: make a new suite.")


def _hash(turns: Sequence[dict]) -> str:
    return prompt_sha256(Turn(**turn) for turn in turns)


def known_prompts(suite: Suite) -> set[str]:
    """Prompts of the suite that versions of its project train on, by hash; such rows decide nothing."""
    found = _trained_on(suite)
    return {prompt for rows in found for prompt in rows.values_list("prompt_sha256", flat=True)}


def trained_on(suite: Suite) -> int:
    """How many of its rows have such a prompt."""
    return sum(rows.count() for rows in _trained_on(suite))


def _trained_on(suite: Suite) -> list[QuerySet]:
    trained = suite.project.items.filter(split=Split.TRAIN).values("prompt_sha256")
    return [rows.filter(prompt_sha256__in=trained) for rows in (suite.pairs, suite.questions)]
