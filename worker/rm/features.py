"""Plain numbers about a response that no embedding tells well: length, overlap, support, repetition. No torch.

Words are lower-cased runs of letters and digits; content words leave the commonest function words out. The source of a
response is its prompt and its context; a line is one sentence or line of the context. A rare word weighs more: by
ln((lines + 1) / (lines with it + ½)). The evidence is the three lines that share most with the prompt.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .encode import prompt_text
from .segments import Bounds, sentences
from .types import Example

VERSION = 2  # raise it when a feature changes its meaning: cached ones are then recomputed
SURFACE = (
    "length",
    "log length",
    "sentences",
    "prompt words used",
    "words from prompt",
    "words from source",
    "pairs from source",
    "fours from source",
    "repeated words",
    "numbers",
    "numbers without source",
    "finished",
    "support",
    "lines used",
    "evidence share",
    "evidence covered",
    "first sentence",
    "prompt words in first",
)
COSINES = ("prompt likeness", "mean likeness", "least likeness", "first likeness", "last likeness", "repetition")
SEGMENT = (
    "first",
    "position",
    "length",
    "words from prompt",
    "words from source",
    "words from best line",
    "numbers without source",
    "numbers not in best line",
    "words said before",
    "prompt likeness",
    "likeness to earlier",
)
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
_COMMON = frozenset(
    "a an and are as at be but by for from had has have he her his i in is it its of on or she that the their there "
    "they this to was were which who will with you your we not what when where how".split()
)


def words(text: str) -> list[str]:
    """Lower-cased words; 1,250 and 3.5 are one word each."""
    return _WORD.findall(text.lower())


def surface(example: Example) -> list[float]:
    """The values named in SURFACE."""
    own, prompt = words(example.response), words(prompt_text(example.turns))
    source = words(" ".join(example.context)) + prompt
    counts, asked, known = Counter(own), set(prompt), set(source)
    numbers = [word for word in own if word[0].isdigit()]
    return [
        len(own) / 100,
        float(np.log1p(len(own))),
        len(sentences(example.response)) / 10,
        _share(asked, counts),
        _share(own, asked),
        _share(own, known),
        _share(_grams(own, 2), set(_grams(source, 2))),
        _share(_grams(own, 4), set(_grams(source, 4))),
        1 - len(counts) / max(len(own), 1),
        len(numbers) / max(len(own), 1),
        sum(number not in known for number in numbers) / 10,
        float(example.response.rstrip()[-1:] in tuple(".!?\"')`|")),
        *_evidence(example),
    ]


def _evidence(example: Example) -> list[float]:
    """The last six of SURFACE: how the response uses the lines of its context."""
    source, own = _Source.of(example), _content(example.response)
    parts = [_content(example.response[start:end]) for start, end in sentences(example.response)] or [set()]
    best = [source.best_line(part) for part in parts]
    evidence = set().union(*sorted(source.lines, key=lambda line: -source.weight(line & source.asked))[:3])
    return [
        float(np.mean([source.part(part, line) for part, line in zip(parts, best, strict=True)])),
        len({id(line) for line in best}) / 10,
        source.part(own, evidence),
        source.part(evidence - source.asked, own),
        len(parts[0]) / 10,
        _share(source.asked, parts[0]),
    ]


def of_segments(example: Example, bounds: Bounds) -> np.ndarray:
    """(segments, 9) the values named in SEGMENT that need no embedding."""
    source = _Source.of(example)
    known = source.asked.union(*source.lines)
    before: set[str] = set()
    rows = []
    for n, (start, end) in enumerate(bounds):
        own = _content(example.response[start:end])
        best = source.best_line(own) | source.asked
        numbers = {word for word in own if word[0].isdigit()}
        rows.append(
            [
                float(n == 0),
                min(n, 10) / 10,
                float(np.log1p(end - start)),
                _share(own, source.asked),
                _share(own, known),
                source.part(own, best),
                float(len(numbers - known)),
                float(len(numbers - best)),
                _share(own, before),
            ]
        )
        before |= own
    return np.array(rows, dtype=np.float32).reshape(len(bounds), len(SEGMENT) - 2)


@dataclass(frozen=True)
class _Source:
    """What a response could draw on: content words of the prompt and of each line of the context."""

    asked: set[str]
    lines: list[set[str]]
    found: Counter  # word → lines with it

    @classmethod
    def of(cls, example: Example) -> "_Source":
        lines = [_content(line) for text in example.context for line in _lines(text)]
        return cls(_content(prompt_text(example.turns)), lines, Counter(word for line in lines for word in line))

    def weight(self, these: set[str]) -> float:
        """Sum of the words' weights, in an order that is the same in every process."""
        total = math.log(len(self.lines) + 1)
        return sum(total - math.log(self.found[word] + 0.5) for word in sorted(these))

    def part(self, these: set[str], known: set[str]) -> float:
        """The share of these, by weight, that is known; 0 of nothing."""
        return self.weight(these & known) / max(self.weight(these), 1e-6)

    def best_line(self, these: set[str]) -> set[str]:
        """The line that says most of these."""
        return max(self.lines, key=lambda line: self.weight(these & line), default=set())


def likeness(prompt: np.ndarray, response: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosines from mean hidden states: (6,) named in COSINES, and (segments, 2) for the last two of SEGMENT."""
    if not len(segments):
        return np.zeros(len(COSINES), dtype=np.float32), np.zeros((0, 2), dtype=np.float32)
    unit = _unit(segments)
    to_prompt = unit @ _unit(prompt)
    to_earlier = np.tril(unit @ unit.T, -1).max(1)
    whole = [_unit(response) @ _unit(prompt), to_prompt.mean(), to_prompt.min(), to_prompt[0], to_prompt[-1]]
    return np.float32([*whole, to_earlier.mean()]), np.stack([to_prompt, to_earlier], 1).astype(np.float32)


def _content(text: str) -> set[str]:
    return set(words(text)) - _COMMON


def _lines(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def _share(these: Sequence | set, known: Sequence | set | Counter) -> float:
    """The share of these that are known; 0 of nothing."""
    return sum(one in known for one in these) / max(len(these), 1)


def _grams(tokens: list[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(tokens[k:] for k in range(n)), strict=False))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)
