"""What an encoding does to a data set: which examples lose tokens, which are left out, which pairs it makes equal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .encode import Encoder
from .types import Comparison, Dataset, Ranking

_SLICE = 2048  # examples whose tokens are held at a time
_NAMED = 20


@dataclass(frozen=True)
class Survey:
    """Examples by their keys, each once, in the order of the data set."""

    cut: tuple[str, ...]  # lose tokens and stay
    dropped: tuple[str, ...]  # would lose tokens and are left out, because the encoding says "drop"
    identical: tuple[tuple[str, str], ...]  # compared and of different texts, but the same to the backbone
    tokens: int  # of all inputs

    def lines(self) -> list[str]:
        """What is worth telling, the first few by name."""
        alike = [f"{one} and {other}" for one, other in self.identical]
        said = (
            (self.dropped, "responses are too long and left out"),
            (self.cut, "responses are too long and cut"),
            (alike, "compared pairs differ in their texts and not in what the backbone reads"),
        )
        return [f"{len(some):,} {what}: {_named(some)}" for some, what in said if some]

    def counts(self) -> dict[str, int]:
        """What a job tells of it."""
        names = ("cut", "dropped", "identical")
        return {name: len(getattr(self, name)) for name in names} | {"tokens": self.tokens}


def _named(keys: Sequence[str]) -> str:
    return ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else "")


def survey(data: Dataset, encoder: Encoder) -> Survey:
    """What encoding would do to the data, which stays as it is. It costs a tokenisation of every text."""
    seen, tokens, long = [], 0, []
    for start in range(0, len(data.examples), _SLICE):
        part = data.examples[start : start + _SLICE]
        for example, one in zip(part, encoder.encode_all(part), strict=True):
            seen.append(hash(one.ids))
            tokens += len(one.ids)
            long += [example.key] if one.cut else []
    drop = encoder.encoding.truncation == "drop"
    return Survey((), tuple(long), (), tokens) if drop else Survey(tuple(long), (), _alike(data, seen), tokens)


def _alike(data: Dataset, seen: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """Compared pairs of different texts and equal tokens, seldom because of the tokenizer, mostly because of cuts."""
    pairs = [(pair.first, pair.second) for pair in (*data.train, *data.test) if seen[pair.first] == seen[pair.second]]
    both = [(data.examples[a], data.examples[b]) for a, b in dict.fromkeys(pairs)]
    return tuple((one.key, other.key) for one, other in both if one.response != other.response)


def kept(data: Dataset, found: Survey) -> Dataset:
    """The data without the dropped examples, and without what was said about them."""
    gone = set(found.dropped)
    stay = [n for n, one in enumerate(data.examples) if one.key not in gone]
    place = {old: new for new, old in enumerate(stay)}
    rankings = [_ranking(one, place) for one in data.rankings]
    return replace(
        data,
        examples=[data.examples[n] for n in stay],
        train=_pairs(data.train, place),
        test=_pairs(data.test, place),
        rankings=[one for one in rankings if len(one.groups) > 1],
    )


def _pairs(pairs: Sequence[Comparison], place: Mapping[int, int]) -> list[Comparison]:
    stay = [pair for pair in pairs if pair.first in place and pair.second in place]
    return [replace(pair, first=place[pair.first], second=place[pair.second]) for pair in stay]


def _ranking(one: Ranking, place: Mapping[int, int]) -> Ranking:
    groups = [tuple(place[n] for n in group if n in place) for group in one.groups]
    return replace(one, groups=tuple(filter(None, groups)), shown=tuple(place[n] for n in one.shown if n in place))
