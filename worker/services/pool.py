"""Pools: many candidates per prompt with a gold score, in the same lines that items come in."""

from typing import BinaryIO

from django.db import transaction
from django.db.models import Min

from annotate.formats import Record, read
from annotate.formats.record import prompt_sha256
from annotate.models import Project, User
from annotate.services.event import record
from worker.models import Candidate, CandidateScore, Pool


@transaction.atomic
def import_pool(*, project: Project, name: str, file: BinaryIO, actor: User | None = None) -> Pool:
    """A pool from JSON lines (docs/formats.md) whose responses carry `metadata.gold`; all of the file or nothing.

    ValueError names the line that is wrong, a prompt that comes twice, or a name that is taken.
    """
    if project.pools.filter(name=name).exists():
        raise ValueError(f"the project has a pool {name!r} already")
    pool, seen = Pool.objects.create(project=project, name=name), set()
    for where, one in read(file, "jsonl"):
        prompt = prompt_sha256(one.turns)
        if prompt in seen:
            raise ValueError(f"{where}: its prompt stood on an earlier line")
        seen.add(prompt)
        Candidate.objects.bulk_create(_candidates(pool, prompt, where, one))
    if not seen:
        raise ValueError("the file holds no prompt")
    record(kind="pool.imported", subject=pool, project=project, actor=actor, prompts=len(seen))
    return pool


def _candidates(pool: Pool, prompt: str, where: str, one: Record) -> list[Candidate]:
    values = one.model_dump(include={"turns", "context"})
    return [
        Candidate(
            pool=pool,
            prompt_sha256=prompt,
            index=index,
            text=answer.text,
            gold=_gold(answer.metadata, f"{where}: response {index}"),
            **values,
        )
        for index, answer in enumerate(one.responses)
    ]


def _gold(metadata: dict, where: str) -> float:
    gold = metadata.get("gold")
    if isinstance(gold, bool) or not isinstance(gold, int | float):
        raise ValueError(f"{where} has no number metadata.gold")
    return float(gold)


def scored_by(*, pools: list[Pool]) -> dict[int, list[int]]:
    """Pool id → numbers of the versions that have scored it, newest first.

    A pool is scored whole or not at all, so that its first candidate speaks for it.
    """
    first = Candidate.objects.filter(pool__in=pools).order_by().values("pool").annotate(first=Min("pk"))
    rows = CandidateScore.objects.filter(candidate__in=first.values("first")).order_by("-version__number")
    found: dict[int, list[int]] = {pool.pk: [] for pool in pools}
    for pool, number in rows.values_list("candidate__pool", "version__number").distinct():
        found[pool].append(number)
    return found
