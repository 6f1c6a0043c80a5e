"""Pools: many candidates per prompt with a gold score, from lines that items come in or from a table of numbers."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from django.db import transaction
from django.db.models import Min

from annotate.formats import Record, read, rows
from annotate.formats.record import prompt_sha256
from annotate.models import Project, User
from annotate.services.event import record
from worker.models import Candidate, CandidateScore, Pool
from worker.numbers import Numbers, number
from worker.services.columns import GOLD, keep_columns


@transaction.atomic
def import_pool(*, project: Project, name: str, file: BinaryIO, actor: User | None = None) -> Pool:
    """A pool from JSON lines (docs/formats.md) whose responses carry `metadata.gold`; all of the file or nothing.

    Other numbers in the metadata, if all responses carry them, are metrics that the gold can be held against.
    ValueError names the line that is wrong, a prompt that comes twice, or a name that is taken.
    """
    pool, seen, found = _new(project, name), set(), Numbers(strict=False)
    for where, one in read(file, "jsonl"):
        prompt = prompt_sha256(one.turns)
        if prompt in seen:
            raise ValueError(f"{where}: its prompt stood on an earlier line")
        seen.add(prompt)
        candidates = _candidates(pool, prompt, where, one, found)
        pool.sizes.append(len(candidates))
        Candidate.objects.bulk_create(candidates)
    if not seen:
        raise ValueError("the file holds no prompt")
    return _kept(pool, found, actor)


@transaction.atomic
def import_table(
    *,
    project: Project,
    name: str,
    file: BinaryIO,
    prompt: str,
    gold: Sequence[str],
    without: tuple[str, str] | None = None,
    actor: User | None = None,
) -> Pool:
    """A pool without texts from a table (CSV, TSV, JSON lines), a candidate a line; every column of numbers is kept.

    prompt: the column that says which lines compete; gold: columns whose mean is the gold; without: a column and the
    value of it whose lines are left out. ValueError names the line and the column that is wrong.
    """
    pool, prompts, found = _new(project, name, texts=False), [], Numbers(leave=(prompt, GOLD))
    for where, row in rows(file):
        if without and str(row.get(without[0], "")) == without[1]:
            continue
        if row.get(prompt) in (None, ""):
            raise ValueError(f"{where} has no {prompt}")
        prompts.append(str(row[prompt]))
        found.add(where, row, {GOLD: sum(number(row, column, where) for column in gold) / len(gold)})
    if not prompts:
        raise ValueError("the file holds no line to keep")
    _, which, counts = np.unique(prompts, return_inverse=True, return_counts=True)
    pool.sizes = counts.tolist()
    return _kept(pool, found, actor, np.argsort(which, kind="stable"))


def listed(text: str) -> list[str]:
    """ "A, B" → ["A", "B"]; ValueError where there is none."""
    if found := [name.strip() for name in text.split(",") if name.strip()]:
        return found
    raise ValueError("the gold wants at least one column")


def left_out(text: str) -> tuple[str, str] | None:
    """ "COLUMN=VALUE" as a pair, nothing as None."""
    if text and "=" not in text:
        raise ValueError(f"{text!r} is not COLUMN=VALUE")
    return tuple(part.strip() for part in text.split("=", 1)) if text else None


def _new(project: Project, name: str, texts: bool = True) -> Pool:
    if project.pools.filter(name=name).exists():
        raise ValueError(f"the project has a pool {name!r} already")
    return Pool.objects.create(project=project, name=name, texts=texts, sizes=[])


def _kept(pool: Pool, found: Numbers, actor: User | None, order: np.ndarray | None = None) -> Pool:
    pool.save()
    columns = found.columns()
    keep_columns(pool=pool, columns=columns if order is None else {name: one[order] for name, one in columns.items()})
    record(kind="pool.imported", subject=pool, project=pool.project, actor=actor, prompts=pool.prompts)
    return pool


def _candidates(pool: Pool, prompt: str, where: str, one: Record, found: Numbers) -> list[Candidate]:
    values, made = one.model_dump(include={"turns", "context"}), []
    for index, answer in enumerate(one.responses):
        gold = number({"metadata.gold": answer.metadata.get(GOLD)}, "metadata.gold", f"{where}: response {index}")
        found.add(f"{where}: response {index}", answer.metadata, {GOLD: gold})
        made.append(Candidate(pool=pool, prompt_sha256=prompt, index=index, text=answer.text, gold=gold, **values))
    return made


def scored_by(*, pools: list[Pool]) -> dict[int, list[int]]:
    """Pool id → numbers of the versions that have scored it, newest first.

    A pool is scored whole or not at all, so that its first candidate speaks for it.
    """
    first = Candidate.objects.filter(pool__in=pools).order_by().values("pool").annotate(first=Min("pk"))
    rows = CandidateScore.objects.filter(candidate__in=first.values("first")).order_by("-version__number")
    found: dict[int, list[int]] = {pool.pk: [] for pool in pools}
    for pool, version in rows.values_list("candidate__pool", "version__number").distinct():
        found[pool].append(version)
    return found
