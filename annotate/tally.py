"""What one judgement adds to the counts behind the agreement pages. PURE.

A unit is the smallest thing that raters can agree about: which of two responses is better, how one response does on
one criterion, whether it has an error of one category. A pattern is the answers that one unit got, without who gave
them: [[value, raters], …]. Equal patterns are counted together, and percent, Fleiss' κ, Krippendorff's α and their
bootstrap intervals by unit follow from these counts alone.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from annotate.agreement import Marks, marks, merge
from annotate.schema import Criterion, rubric_mean

Value = str | int | float
Unit = tuple[str, tuple]  # question, and which unit of it
BUCKETS_PER_OCTAVE = 8  # of active time: a bucket is 9 % wide


@dataclass(frozen=True)
class Said:
    """What counting reads of one judgement."""

    shown: Sequence[int]
    outcome: str
    ranking: Sequence[Sequence[int]]
    strength: int | None = None
    ratings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    safety: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    steps: Mapping[str, Sequence[int | None]] = field(default_factory=dict)
    # Of the responses that were looked at for errors: category -> its spans; {} where there was nothing to mark.
    marked: Mapping[int, Mapping[str, Sequence[tuple[int, int]]]] = field(default_factory=dict)
    active_ms: int = 0


@dataclass(frozen=True)
class Asked:
    """The keys of a schema that are asked of each response."""

    categories: Sequence[str] = ()
    safety: Sequence[str] = ()
    criteria: Sequence[Criterion] = ()  # whose weighted mean is counted, too


def answers(said: Said, asked: Asked) -> Iterator[tuple[Unit, Value]]:
    """(unit, value) for everything that the judgement says; what was not answered is not there."""
    yield from _compared(said)
    for response, values in said.ratings.items():
        for criterion, value in values.items():
            yield (f"criterion:{criterion}", (int(response),)), value
        if (mean := rubric_mean(asked.criteria, values)) is not None:
            yield ("rubric", (int(response),)), round(mean, 3)
    for response, found in said.marked.items():
        for category in asked.categories:
            yield (f"category:{category}", (response,)), int(category in found)
    for response, harms in said.safety.items():
        for category in asked.safety:
            yield (f"safety:{category}", (int(response),)), harms.get(category, 0)
    for response, labels in said.steps.items():
        for n, label in enumerate(labels):
            if label is not None:
                yield ("steps", (int(response), n)), label


def _compared(said: Said) -> Iterator[tuple[Unit, Value]]:
    """Each pair of the judged responses, the one with the smaller id first; strength counts towards that one."""
    for first, second, sign in compared(said):
        if said.outcome == "both_bad":
            yield ("preference", (first, second)), "both bad"
        else:
            yield ("preference", (first, second)), ("second", "tie", "first")[sign + 1]
        if len(said.shown) == 2:
            yield ("strength", (first, second)), sign * (said.strength or 1)


def compared(said: Said) -> list[tuple[int, int, int]]:
    """(smaller id, larger id, 1 first is better | 0 neither | −1) for each pair that was compared."""
    groups = [said.shown] if said.outcome in ("tie", "both_bad") else said.ranking
    place = {pk: n for n, group in enumerate(groups) for pk in group} if said.outcome != "cannot_judge" else {}
    return [
        (first, second, (place[second] > place[first]) - (place[second] < place[first]))
        for first, second in combinations(sorted(place), 2)
    ]


def gathered(judgements: Iterable[Said], asked: Asked) -> dict[Unit, Counter]:
    """How often each unit got each value."""
    found: dict[Unit, Counter] = defaultdict(Counter)
    for said in judgements:
        for unit, value in answers(said, asked):
            found[unit][value] += 1
    return found


def pattern(counts: Mapping[Value, int]) -> str:
    """The answers to one unit, as they are stored."""
    return json.dumps([[value, n] for value, n in sorted(counts.items(), key=str)], separators=(",", ":"))


def across(people: Mapping[Value, int], machines: Mapping[Value, int]) -> str:
    """The same of both sides."""
    return f"[{pattern(people)},{pattern(machines)}]"


def disagreeing(counts: Mapping[Value, int]) -> tuple[int, int]:
    """Pairs of raters who gave different values, and all pairs of raters, of one unit."""
    n = sum(counts.values())
    alike = sum(k * (k - 1) // 2 for k in counts.values())
    return n * (n - 1) // 2 - alike, n * (n - 1) // 2


def disputes(found: Mapping[Unit, Mapping[Value, int]]) -> dict[str, float]:
    """Share of pairs of raters who disagree, by question; questions on which nobody could are not there."""
    pairs: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (question, _), counts in found.items():
        for n, more in enumerate(disagreeing(counts)):
            pairs[question][n] += more
    return {question: apart / every for question, (apart, every) in pairs.items() if every}


def places(judgements: Iterable[Said], asked: Asked) -> dict[Unit, Counter]:
    """How often each response that was looked at got exactly the same marks of a category, for `disputes` alone."""
    found: dict[Unit, Counter] = defaultdict(Counter)
    for said in judgements:
        for response, marked in said.marked.items():
            for category in asked.categories:
                found[f"spans:{category}", (response,)][tuple(sorted(map(tuple, marked.get(category, ()))))] += 1
    return found


def marked_texts(judgements: Sequence[Said], asked: Asked, lengths: Mapping[int, int]) -> dict[str, Marks]:
    """What the unitised agreement needs of each category, over all responses that somebody looked at."""
    looked = sorted({response for said in judgements for response in said.marked})
    return {
        category: merge(
            marks(
                lengths[response],
                [said.marked[response].get(category, ()) for said in judgements if response in said.marked],
            )
            for response in looked
        )
        for category in asked.categories
    }


def taken(sums: Sequence) -> list:
    """The same sums with their signs turned, to take them back from a total."""
    observed, positions, *lengths = sums
    return [-observed, -positions, *([[size, -n] for size, n in found] for found in lengths)]


# ---- One rater

SUMS = ("judged", "decided", "left", "unequal", "longer", "timed", "fast")
READING = 60  # characters a second: three times the speed of a quick reader; faster than that nobody has read it


def sums(said: Said, lengths: Mapping[int, int], characters: int) -> Counter:
    """What a judgement adds to its rater: SUMS, and "ms:<bucket>" for its active time.

    left: decided pairs of two that the first shown won; longer: those of unequal length that the longer won; fast:
    answered in less time than the `characters` shown take at READING.
    """
    found = Counter(judged=1)
    if len(said.shown) == 2 and said.outcome == "ranking" and len(said.ranking) == 2:
        [winner], [loser] = said.ranking
        found.update(decided=1, left=int(winner == said.shown[0]))
        if lengths[winner] != lengths[loser]:
            found.update(unequal=1, longer=int(lengths[winner] > lengths[loser]))
    if said.active_ms:
        found.update({"timed": 1, "fast": int(said.active_ms < 1000 * characters / READING), bucket(said.active_ms): 1})
    return found


def bucket(ms: int) -> str:
    return f"ms:{round(BUCKETS_PER_OCTAVE * math.log2(max(ms, 1)))}"


def times(found: Mapping[str, int]) -> list[tuple[float, int]]:
    """(milliseconds, judgements) of each bucket, from short to long."""
    pairs = [(int(name[3:]), n) for name, n in found.items() if name.startswith("ms:") and n]
    return [(2 ** (at / BUCKETS_PER_OCTAVE), n) for at, n in sorted(pairs)]
