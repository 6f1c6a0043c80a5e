"""A pool of the project's own responses: what people said of them here is the gold."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction

from annotate.models import Project, Response, User
from annotate.models.item import Split
from annotate.schema import Schema, rubric_mean
from annotate.services.event import record
from worker.models import Candidate, Pool
from worker.services.columns import GOLD, keep_columns
from worker.services.snapshot import verdicts

RUBRIC, WON = "mean rating", "share of comparisons won"
FEWEST = 2  # candidates of a prompt


@dataclass
class _Means:
    """Response id → the mean of each thing that people said of it."""

    sums: dict[int, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, response: int, name: str, value: float) -> None:
        self.sums[response][name].append(value)

    def of(self, response: int, name: str) -> float:
        """NaN where nobody said it."""
        found = self.sums.get(response, {}).get(name)
        return sum(found) / len(found) if found else float("nan")

    def names(self) -> set[str]:
        return {name for said in self.sums.values() for name in said}


@transaction.atomic
def pool_of_judged(*, project: Project, name: str, actor: User | None = None) -> Pool:
    """Held-out prompts with at least FEWEST judged responses, as they are now; later judgements do not change it.

    The gold is people's mean rating by the weights of the criteria (0 to 1) where the project has ratings, and the
    share of comparisons won (ties ½) otherwise; the other of them and each criterion's mean are metrics beside it, NaN
    where nobody said it. Training prompts are left out, for a version has learned what was said of them. ValueError
    where no prompt is left or the name is taken.
    """
    if project.pools.filter(name=name).exists():
        raise ValueError(f"the project has a pool {name!r} already")
    means = _said(project)
    names = means.names()
    gold = RUBRIC if RUBRIC in names else WON
    prompts = _prompts(project, {pk for pk, said in means.sums.items() if gold in said})
    if not prompts:
        raise ValueError(f"no held-out prompt has {FEWEST} responses that people rated or compared")
    pool = Pool.objects.create(project=project, name=name, sizes=[len(rows) for rows in prompts.values()])
    Candidate.objects.bulk_create(_candidates(pool, prompts, means, gold))
    order = [row.pk for rows in prompts.values() for row in rows]
    columns = {GOLD: gold} | {other: other for other in sorted(names - {gold})}
    keep_columns(pool=pool, columns={key: np.array([means.of(pk, n) for pk in order]) for key, n in columns.items()})
    record(kind="pool.judged", subject=pool, project=project, actor=actor, prompts=pool.prompts, gold=gold)
    return pool


def _said(project: Project) -> _Means:
    means, schema = _Means(), project.schema
    rows = project.judgements.of_people().filter(item__split=Split.TEST).order_by("pk")
    for ratings, *compared in rows.values_list("ratings", "shown_order", "outcome", "ranking").iterator(5000):
        for response, given in ratings.items():
            _rated(means, schema, int(response), given)
        for first, second, p in verdicts(*compared):
            means.add(first, WON, p)
            means.add(second, WON, 1 - p)
    return means


def _rated(means: _Means, schema: Schema, response: int, given: Mapping[str, float]) -> None:
    if (mean := rubric_mean(schema.criteria, given)) is not None:
        means.add(response, RUBRIC, mean)
    for one in schema.criteria:
        if one.key in given and one.accepts(given[one.key]):
            means.add(response, f"rating: {one.key}", given[one.key])


def _prompts(project: Project, wanted: set[int]) -> dict[str, list[Response]]:
    """sha256 of a prompt → its responses, in the order of the hashes; those of equal prompts compete."""
    rows = Response.objects.filter(item__project=project, item__split=Split.TEST).select_related("item")
    found = defaultdict(list)
    for row in rows.order_by("item__prompt_sha256", "pk").iterator(2000):
        if row.pk in wanted:
            found[row.item.prompt_sha256].append(row)
    return {prompt: rows for prompt, rows in found.items() if len(rows) >= FEWEST}


def _candidates(pool: Pool, prompts: Mapping[str, list[Response]], means: _Means, gold: str) -> list[Candidate]:
    return [
        Candidate(
            pool=pool,
            prompt_sha256=prompt,
            turns=row.item.turns,
            context=row.item.context,
            index=index,
            text=row.text,
            gold=means.of(row.pk, gold),
        )
        for prompt, rows in prompts.items()
        for index, row in enumerate(rows)
    ]
