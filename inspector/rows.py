"""What the inspector reads: scores, and people's verdicts pair by pair."""

from collections import defaultdict
from dataclasses import dataclass

from annotate.models import Item, Project
from annotate.models.item import Split
from worker.models import CandidateScore, Pool, Score, Version
from worker.models.version import PREFERENCE
from worker.services.snapshot import verdicts


@dataclass(frozen=True)
class Scored:
    value: float
    tokens: int
    item: int
    prompt: str  # sha256


@dataclass(frozen=True)
class Pair:
    """Two responses of one item and the weighted mean of what people said: p = 1 first, 0 second."""

    item: int
    first: int
    second: int
    p: float
    judgements: int
    held_out: bool

    @property
    def decided(self) -> bool:
        return self.p != 0.5

    @property
    def chosen(self) -> int:
        """The response that people preferred; ask only of a decided pair."""
        return self.first if self.p > 0.5 else self.second


def scores(version: Version, head: str = PREFERENCE) -> dict[int, Scored]:
    """Response id → its score under the head."""
    rows = Score.objects.filter(version=version, head=head).order_by("response_id")
    fields = ("value", "tokens", "response__item_id", "response__item__prompt_sha256")
    return {row[0]: Scored(*row[1:]) for row in rows.values_list("response_id", *fields)}


def judged_pairs(project: Project, item: Item | None = None) -> list[Pair]:
    """Every pair that people compared (of one item), once; what machines said is left out."""
    said = defaultdict(list)
    current = project.judgements.of_people()
    if item:
        current = current.filter(item=item)
    fields = ("item_id", "item__split", "weight", "shown_order", "outcome", "ranking")
    for item_id, split, weight, *judgement in current.order_by("item_id", "pk").values_list(*fields):
        for first, second, p in verdicts(*judgement):
            pair, p = ((first, second), p) if first < second else ((second, first), 1 - p)
            said[item_id, *pair, split == Split.TEST].append((p, weight))
    return [
        Pair(item_id, first, second, _mean(given), len(given), held_out)
        for (item_id, first, second, held_out), given in said.items()
    ]


def _mean(given: list[tuple[float, float]]) -> float:
    total = sum(weight for _, weight in given)
    return sum(p * weight for p, weight in given) / total if total else 0.5


def candidate_values(version: Version, pool: Pool) -> dict[str, tuple[list[float], list[float]]]:
    """Prompt → (proxies, golds) of the pool's scored candidates, in their order."""
    rows = CandidateScore.objects.filter(version=version, candidate__pool=pool, head=PREFERENCE)
    values = rows.order_by("candidate__prompt_sha256", "candidate__index")
    by_prompt = defaultdict(lambda: ([], []))
    for prompt, proxy, gold in values.values_list("candidate__prompt_sha256", "value", "candidate__gold"):
        by_prompt[prompt][0].append(proxy)
        by_prompt[prompt][1].append(gold)
    return dict(by_prompt)
