"""Judgements of one item → what each says of each pair of responses. PURE."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from annotate.formats.record import Record, Verdict

MARGINS = {None: 1.0, 1: 1.0, 2: 2.0, 3: 3.0}  # of slightly better, better, much better; unsaid counts as slightly


@dataclass(frozen=True)
class Vote:
    """One judgement's word on a pair: 1 the first is better, 0 the second, ½ a tie; its strength, 0 for a tie."""

    share: float
    strength: float
    weight: float
    verdict: Verdict


@dataclass
class Pair:
    """Two places of a record, the votes on them, and which side they favour."""

    first: int
    second: int
    votes: list[Vote] = field(default_factory=list)

    @property
    def weight(self) -> float:
        return sum(vote.weight for vote in self.votes)

    @property
    def share(self) -> float:
        """The weighted share of votes for the first, a tie half; the plain share where no vote has a weight."""
        weights = [vote.weight for vote in self.votes] if self.weight else [1.0] * len(self.votes)
        return sum(w * vote.share for w, vote in zip(weights, self.votes, strict=True)) / sum(weights)

    @property
    def margin(self) -> float:
        """The mean strength for the first minus that for the second."""
        return sum(vote.strength * (1 if vote.share > 0.5 else -1) for vote in self.votes) / len(self.votes)

    def sides(self) -> tuple[int, int] | None:
        """The preferred place and the other; None where neither is."""
        if self.share == 0.5:
            return None
        return (self.first, self.second) if self.share > 0.5 else (self.second, self.first)


def settled(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Where a reviewer has decided on a set of responses, that decision stands for all judgements of it."""
    verdicts = list(verdicts)
    decided = {frozenset(one.shown) for one in verdicts if one.source == "adjudicated"}
    return [one for one in verdicts if one.source == "adjudicated" or frozenset(one.shown) not in decided]


def pairs(record: Record, together: bool) -> Iterator[Pair]:
    """Each judgement's pairs by themselves, or (`together`) each pair once with all its votes."""
    gathered: dict[tuple[int, int], Pair] = {}
    for verdict in record.judgements:
        for (first, second), share in _shares(verdict).items():
            strength = MARGINS[verdict.strength] if share != 0.5 else 0.0
            pair = gathered.setdefault((first, second), Pair(first, second)) if together else Pair(first, second)
            pair.votes.append(Vote(share, strength, verdict.weight, verdict))
            if not together:
                yield pair
    yield from gathered.values()


def _shares(verdict: Verdict) -> dict[tuple[int, int], float]:
    """(lower place, higher place) -> 1, ½ or 0. Equals inside a ranking are ties; both bad is no preference at all."""
    if verdict.outcome == "tie":
        return dict.fromkeys(combinations(sorted(verdict.shown), 2), 0.5)
    ranks = {place: rank for rank, group in enumerate(verdict.ranking) for place in group}
    return {
        (a, b): 0.5 if ranks[a] == ranks[b] else float(ranks[a] < ranks[b]) for a, b in combinations(sorted(ranks), 2)
    }
