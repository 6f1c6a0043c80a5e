"""Suites: held-out pairs that every version is measured on. Frozen: hashed when they are made, never changed."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Q

from annotate.agreement import Interval, wilson
from annotate.formats import read
from annotate.formats.record import Turn, prompt_sha256
from annotate.models import Project, Response, User
from annotate.models.item import Split
from annotate.services.event import record
from worker.models import Job, Suite, SuitePair, SuiteScore, Version
from worker.models.job import JobKind
from worker.services.job import launch
from worker.services.snapshot import verdicts, verdicts_of

MOST_PAIRS, MOST_SHOWN = 50_000, 256  # what a page can show and a job score; k responses make k(k−1)/2 pairs
CATEGORY = ("category", "subset", "section", "task")  # the first of these in an item's metadata names its category


@dataclass
class Election:
    """What people said of one pair of different texts: votes for each, and what stood around them."""

    turns: list
    context: list
    category: str
    votes: Counter = field(default_factory=Counter)


Elections = dict[tuple, Election]


@transaction.atomic
def import_suite(*, project: Project, name: str, file: BinaryIO, format: str, actor: User | None = None) -> Suite:
    """A suite from a file of judged items in any format that items come in; all of it or nothing.

    Raises ValidationError naming the line, a name that is taken, or that there is no decided pair.
    """
    found: Elections = {}
    try:
        for where, one in read(file, format):
            values = one.model_dump(include={"turns", "context"}, mode="json")
            texts = [answer.text for answer in one.responses]
            for said in one.judgements:
                if len(said.shown) > MOST_SHOWN:
                    raise ValueError(f"{where}: a ranking of a suite holds at most {MOST_SHOWN} responses")
                pairs = verdicts(said.shown, said.outcome, said.ranking)
                _vote(found, values, category_of(one.metadata), [(texts[a], texts[b], p) for a, b, p in pairs])
            if len(found) > MOST_PAIRS:
                raise ValueError(f"{where}: a suite holds at most {MOST_PAIRS:,} pairs; take a sample of them")
    except ValueError as error:
        raise ValidationError(str(error)) from None
    return _freeze(project, name, found, actor, source=format)


@transaction.atomic
def freeze_held_out(*, project: Project, name: str, actor: User | None = None) -> Suite:
    """What people have decided so far about the project's held-out prompts, as a suite. Raises ValidationError."""
    found: Elections = {}
    texts = dict(Response.objects.filter(item__project=project).values_list("pk", "text"))
    rows = project.judgements.of_people().filter(item__split=Split.TEST).select_related("item").order_by("pk")
    for row in rows.iterator(chunk_size=2000):
        values = {"turns": row.item.turns, "context": row.item.context}
        pairs = [(texts[a], texts[b], p) for a, b, p in verdicts_of(row)]
        _vote(found, values, category_of(row.item.metadata), pairs)
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


def _freeze(project: Project, name: str, found: Elections, actor: User | None, source: str) -> Suite:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # two of one name
    if project.suites.filter(name=name).exists():
        raise ValidationError(f"The project has a suite {name!r} already.")
    decided = {key: one for key, one in found.items() if one.votes[key[1]] != one.votes[key[2]]}
    if not decided:
        raise ValidationError("There is no pair of which one response was preferred.")
    suite = Suite.objects.create(project=project, name=name, created_by=actor)
    pairs = [_pair(suite, key, one) for key, one in decided.items()]
    SuitePair.objects.bulk_create(pairs, batch_size=1000)
    suite.sha256 = digest(pairs)
    suite.save(update_fields=["sha256"])
    undecided = len(found) - len(decided)
    record(
        kind="suite.frozen", subject=suite, project=project, actor=actor, pairs=len(pairs), undecided=undecided,
        source=source,
    )  # fmt: skip
    return suite


def _pair(suite: Suite, key: tuple, one: Election) -> SuitePair:
    _, first, second = key
    chosen, rejected = (first, second) if one.votes[first] > one.votes[second] else (second, first)
    about = {"turns": one.turns, "context": one.context, "category": one.category}
    return SuitePair(suite=suite, chosen=chosen, rejected=rejected, **about)


def digest(pairs: Iterable[SuitePair]) -> str:
    """sha256 of what the pairs hold, whatever their order."""
    contents = sorted(json.dumps([p.category, p.turns, p.context, p.chosen, p.rejected], sort_keys=True) for p in pairs)
    return hashlib.sha256("\n".join(contents).encode("utf-8", "surrogatepass")).hexdigest()


def check_frozen(suite: Suite, pairs: Sequence[SuitePair]) -> None:
    """ValueError where the pairs are not those that were frozen: their numbers could not be compared any more."""
    if digest(pairs) != suite.sha256:
        raise ValueError(f"The pairs of suite {suite.name} are not those that were frozen: make a new suite.")


def prompt_of(pair: SuitePair) -> str:
    return prompt_sha256(Turn(**turn) for turn in pair.turns)


def known_prompts(suite: Suite, pairs: Iterable[SuitePair]) -> set[str]:
    """Prompts of the suite that versions of its project train on, by hash; such pairs decide nothing."""
    prompts = sorted({prompt_of(pair) for pair in pairs})
    trained = suite.project.items.filter(split=Split.TRAIN)
    chunks = (prompts[start : start + 500] for start in range(0, len(prompts), 500))
    return {
        p for chunk in chunks for p in trained.filter(prompt_sha256__in=chunk).values_list("prompt_sha256", flat=True)
    }


# ---- Measuring


def measure(
    *, suite: Suite, versions: Sequence[Version], actor: User | None = None, queue: str = "cpu", **params: object
) -> Job:
    """A job that scores the suite by these versions."""
    params |= {"suite": suite.pk, "versions": [version.pk for version in versions]}
    return launch(project=suite.project, kind=JobKind.EVALUATE, params=params, actor=actor, queue=queue)


@dataclass(frozen=True)
class Standing:
    """A version on a suite: its accuracy on all pairs and by category."""

    version: Version
    accuracy: Interval
    categories: dict[str, Interval]


def leaderboard(suite: Suite) -> list[Standing]:
    """Every version that was measured on the suite, best first. Equal scores count half."""
    scores = SuiteScore.objects.filter(pair__suite=suite).values("version", "pair__category")
    counted = scores.annotate(
        n=Count("pk"),
        won=Count("pk", filter=Q(chosen__gt=F("rejected"))),
        tied=Count("pk", filter=Q(chosen=F("rejected"))),
    )
    cells: dict[int, dict[str, tuple[float, int]]] = {}
    for row in counted.order_by("version", "pair__category"):
        cells.setdefault(row["version"], {})[row["pair__category"]] = (row["won"] + row["tied"] / 2, row["n"])
    versions = Version.objects.in_bulk(cells)
    rows = [_standing(versions[pk], found) for pk, found in cells.items()]
    return sorted(rows, key=lambda row: (-row.accuracy.value, -row.version.number))


def _standing(version: Version, cells: dict[str, tuple[float, int]]) -> Standing:
    won, n = (sum(column) for column in zip(*cells.values(), strict=True))
    return Standing(version, wilson(won, n), {name: wilson(*cell) for name, cell in cells.items()})


def credits_of(suite: Suite, version: Version) -> dict[int, float]:
    """Pair id → 1 right, 0 wrong, ½ for equal scores."""
    rows = SuiteScore.objects.filter(pair__suite=suite, version=version).values_list("pair", "chosen", "rejected")
    return {pair: 0.5 + (chosen > rejected) / 2 - (chosen < rejected) / 2 for pair, chosen, rejected in rows}
