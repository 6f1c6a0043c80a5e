"""A world of held-out prompts in bulk: two responses each, scores whose odds are known, verdicts drawn by them."""

import numpy as np

from annotate.models import Item, Judgement, Project, Response, Task
from worker.models import Score, Version


def make_pairs(project: Project, prompts: int, split: str = "test") -> np.ndarray:
    """(prompts, 2) ids of responses; the second is the longer text."""
    about = {"project": project, "split": split, "turns": [{"role": "user", "content": "What?"}]}
    items = Item.objects.bulk_create(Item(key=f"k{n}", prompt_sha256=f"{n:064}", **about) for n in range(prompts))
    texts = ("one", "one two")
    rows = [
        Response(item=i, index=n, text=t, sha256=f"{i.pk}-{n}".zfill(64)) for i in items for n, t in enumerate(texts)
    ]
    return np.array([one.pk for one in Response.objects.bulk_create(rows)]).reshape(-1, 2)


def say(project: Project, pairs: np.ndarray, p: np.ndarray, rater: str = "Bob") -> None:
    """One verdict on each pair: 1 the first, 0 the second, ½ a tie."""
    items = list(Response.objects.filter(pk__in=pairs[:, 0].tolist()).order_by("pk").values_list("item", flat=True))
    tasks = Task.objects.bulk_create(
        Task(project=project, item_id=item, key=f"{rater}{item}", slots=1, open_slots=0) for item in items
    )
    Judgement.objects.bulk_create(
        Judgement(
            project=project, item_id=item, task=task, shown_order=[a, b], outcome="tie" if said == 0.5 else "ranking",
            ranking=[] if said == 0.5 else [[a], [b]] if said else [[b], [a]], schema_version=1, texts_sha256={},
            source="simulated", rater_name=rater, idempotency_key=f"{rater}-{item}",
        )
        for (a, b), said, item, task in zip(pairs.tolist(), p.tolist(), items, tasks, strict=True)
    )  # fmt: skip


def give(version: Version, pairs: np.ndarray, margins: np.ndarray, head: str = "preference") -> None:
    """The first response of each pair scores its margin, the second 0."""
    values = np.stack([margins, np.zeros(len(margins))], axis=1).ravel().tolist()
    ids = zip(pairs.ravel().tolist(), values, strict=True)
    Score.objects.bulk_create(
        Score(version=version, response_id=pk, head=head, value=value, tokens=1 + n % 2)
        for n, (pk, value) in enumerate(ids)
    )


def drawn(margins: np.ndarray, temperature: float = 1.0, seed: int = 0) -> np.ndarray:
    """Verdicts at σ(margin / temperature)."""
    return (np.random.default_rng(seed).random(len(margins)) < 1 / (1 + np.exp(-margins / temperature))).astype(float)
