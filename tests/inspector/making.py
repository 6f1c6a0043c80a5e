"""Rows for the tests of the inspector: a version with scores, verdicts, explanations and a pool. No torch."""

import re

from annotate.models import Item, Judgement, Project, Response, Span
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
from worker.models import Attribution, Candidate, CandidateScore, Pool, Score, Snapshot, Version
from worker.services.columns import keep_columns

HEADS = ["preference", "attribute:helpful", "segment:wrong"]


def make_version(project: Project, number: int = 1) -> Version:
    snapshot, _ = Snapshot.objects.get_or_create(project=project, sha256="0" * 64, defaults={"counts": {}})
    return Version.objects.create(
        project=project,
        number=number,
        recipe={"name": "heads"},
        snapshot=snapshot,
        backbone="minilm",
        encode_hash="e" * 64,
        heads=HEADS,
        file=f"none{number}.safetensors",
        file_sha256="f" * 64,
    )


def judge(item: Item, ranking: list[list[Response]], **fields) -> Judgement:
    """What one person said of some of the item's responses."""
    make_tasks(project=item.project, items=[item], pairs="all")
    ids = [[response.pk for response in group] for group in ranking]
    shown = sorted(pk for group in ids for pk in group)
    number = Judgement.objects.count()
    values = {"outcome": "ranking", "schema_version": 1, "texts_sha256": {}, "source": "simulated"} | fields
    return Judgement.objects.create(
        project=item.project,
        item=item,
        task=item.tasks.first(),
        shown_order=shown,
        ranking=ids,
        idempotency_key=f"said-{number}",
        **values,
    )


def mark(judgement: Judgement, response: Response, quote: str, category: str = "wrong") -> Span:
    start = response.text.index(quote)
    return Span.objects.create(
        judgement=judgement,
        response=response,
        start=start,
        end=start + len(quote),
        quote=quote,
        category=category,
    )


def score(version: Version, values: dict[Response, float], head: str = "preference") -> None:
    rows = [
        Score(version=version, response=r, head=head, value=value, tokens=len(r.text.split()))
        for r, value in values.items()
    ]
    Score.objects.bulk_create(rows)


def explain(version: Version, response: Response, head: str = "preference", method: str = "exact", **values: float):
    """An attribution that gives each word its value by name, .1 without; prompt and special tokens as well."""
    tokens = [
        {"text": "[CLS]", "start": 0, "end": 0, "part": "special", "value": 0.01},
        {"text": "prompt-word", "start": 0, "end": 11, "part": "prompt", "value": -0.02},
    ]
    for word in re.finditer(r"\w+|[^\w\s]", response.text):
        value = values.get(word.group(), 0.1)
        tokens.append(
            {"text": word.group(), "start": word.start(), "end": word.end(), "part": "response", "value": value}
        )
    total = sum(token["value"] for token in tokens)
    return Attribution.objects.create(
        version=version,
        response=response,
        head=head,
        method=method,
        tokens=tokens,
        features={"log length": 0.25, "copies the prompt": -0.5},
        baseline=0.125,
        residual=0.002,
        score=0.125 - 0.25 + total + 0.002,
    )


def make_pool(project: Project, version: Version, pools: dict[str, list[tuple[float, float]]]) -> Pool:
    """prompt → [(proxy, gold), …]"""
    sizes, name = [len(values) for values in pools.values()], f"pool {project.pools.count() + 1}"
    pool = Pool.objects.create(project=project, name=name, sizes=sizes)
    for prompt, values in pools.items():
        for index, (proxy, gold) in enumerate(values):
            candidate = Candidate.objects.create(
                pool=pool, prompt_sha256=prompt, turns=[], index=index, text=f"{prompt} {index}", gold=gold
            )
            CandidateScore.objects.create(version=version, candidate=candidate, head="preference", value=proxy)
    proxies, golds = zip(*(pair for values in pools.values() for pair in values), strict=True)
    keep_columns(pool=pool, columns={"gold": golds})
    keep_columns(pool=pool, columns={"preference": proxies}, version=version)
    return pool


__all__ = ["HEADS", "explain", "judge", "make_item", "make_pool", "make_version", "mark", "score"]
