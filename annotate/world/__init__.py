"""The known world: questions about tables of invented facts, answers with planted flaws, raters with known biases.

Everything here is made from a seed, so that what the inspector recovers can be held against what was planted.
PURE: numpy and the schema, no Django. `make_world()` is all that others need; `truth()` says what was planted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from annotate.schema import Category, Criterion, Schema
from annotate.world.answers import CORRECT, COST, PADDING, Answer, compose, draw_plan
from annotate.world.raters import RATERS, TIE_THETA, Rater, Verdict, judge
from annotate.world.tables import Card, Kind, as_table, draw_card, kinds, names

LAYOUTS = {1: "code", 6: "list", 11: "maths", 16: "table"}  # of every twenty questions; the rest are prose
FOLLOW_UPS = {3, 9, 17}  # of every twenty: the question comes after another turn
FORMS = (
    "Please tell me {}.",
    "Could you tell me {}?",
    "I would like to know {}.",
    "For a short report I need to know {}.",
    "Look at the table and say {}.",
)
ASKS = {
    "prose": "",
    "list": " Answer as a list of points.",
    "table": " Put the answer into a small table.",
    "code": " Show it as Python as well.",
    "maths": " Write the rule as a formula as well.",
}

SCHEMA = Schema(
    categories=(
        Category(key="wrong", label="Wrong fact", description="Not what the table says. Mark the value."),
        Category(key="irrelevant", label="Irrelevant", description="About something else."),
        Category(key="repetition", label="Repetition", description="Says again what was said before it."),
        Category(key="padding", label="Padding", description="Words that say nothing."),
    ),
    criteria=(
        Criterion(key="helpful", label="Helpfulness", anchors={1: "useless", 5: "all I needed"}),
        Criterion(key="accurate", label="Accuracy", anchors={1: "mostly wrong", 5: "all of it is right"}),
        Criterion(key="concise", label="Brevity", anchors={1: "bloated", 5: "nothing to cut"}),
    ),
)
GUIDELINES = """\
Each question is about a **table of facts**, which is shown with it. Nothing outside the table counts.

1. Prefer the answer that tells the reader what was asked, rightly, and wastes none of their time.
2. Mark what is wrong with each answer: a *wrong* value, a sentence that is *irrelevant*, a *repetition*, *padding*.
3. Say what is missing when an asked fact is left out.
4. If an answer has nothing to mark, say so: press the key for "checked".

A long answer is not a better one, and neither is the one on the left.
"""


@dataclass(frozen=True)
class Question:
    turns: tuple[tuple[str, str], ...]  # (role, content); the last is the user's
    title: str
    table: str  # Markdown
    layout: str  # prose, list, table, code or maths
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class World:
    questions: tuple[Question, ...]
    verdicts: tuple[Verdict, ...]
    pool: tuple[Question, ...]  # its answers are the candidates
    open_pairs: tuple[tuple[int, int, int], ...]  # (question, answer, answer) that no simulated rater judged


def make_world(
    seed: int = 1,
    questions: int = 160,
    answers: int = 4,
    pool: int = 24,
    candidates: int = 64,
    overlap: int = 2,
    open_pairs: int = 96,
    raters: tuple[Rater, ...] = RATERS,
) -> World:
    """The same world for the same seed. Every pair but `open_pairs` is judged by `overlap` of the raters."""
    streams = [np.random.default_rng([seed, n]) for n in range(4)]  # a larger pool changes nothing else
    cards = _cards(streams[0])
    asked = tuple(_question(number, cards, answers, _ordinary, streams[1]) for number in range(questions))
    pooled = tuple(_question(number, cards, candidates, _extreme, streams[2]) for number in range(pool))
    pairs = [(q, a, b) for q in range(questions) for a in range(answers) for b in range(a + 1, answers)]
    left = _spread(pairs, open_pairs, streams[3])
    judged = (pair for pair in pairs if pair not in left)
    verdicts = tuple(v for pair in judged for v in _verdicts(asked, pair, raters, overlap, streams[3]))
    return World(asked, verdicts, pooled, tuple(sorted(left)))


def truth() -> dict:
    """What was planted, to be shown beside what is recovered."""
    return {
        "gold": {"correct": CORRECT, "cost": COST, "padding": PADDING},
        "raters": [asdict(rater) for rater in RATERS],
        "order_gamma": float(np.mean([r.order for r in RATERS])),
        "length_per_20_words": float(np.mean([r.length for r in RATERS])),
        "sharpness": float(np.mean([r.sharpness for r in RATERS])),
        "tie_theta": TIE_THETA,
    }


def _ordinary(answers: int, rng: np.random.Generator) -> list[int]:
    """Filler sentences in each of the answers that people judge: none to three."""
    return [int(n) for n in rng.choice(4, size=answers, p=[0.55, 0.2, 0.15, 0.1])]


def _extreme(answers: int, rng: np.random.Generator) -> list[int]:
    """Filler sentences in each candidate of the pool: as above, but for one in forty with more than anybody judged."""
    extreme = answers // 40
    return [*_ordinary(answers - extreme, rng), *(int(n) for n in rng.integers(5, 8, size=extreme))]


def _cards(rng: np.random.Generator) -> dict[str, Iterator[Card]]:
    """For each kind, things that never come twice."""
    return {noun: _draw(kind, rng) for noun, kind in kinds().items()}


def _draw(kind: Kind, rng: np.random.Generator) -> Iterator[Card]:
    return (draw_card(kind, name, rng) for name in names(kind, rng))


def _question(
    number: int,
    cards: dict[str, Iterator[Card]],
    answers: int,
    fillers: Callable[[int, np.random.Generator], list[int]],
    rng: np.random.Generator,
) -> Question:
    layout = LAYOUTS.get(number % 20, "prose")
    prose = ("river", "moon", "library", "recipe", "instrument")
    noun = {"code": "function", "maths": "sequence"}.get(layout) or prose[number % 5]
    three = [next(cards[noun]) for _ in range(3)]
    card, table = three[0], as_table([three[i] for i in rng.permutation(3)])
    asked = _asked(card, layout, rng)
    known = f"{table}\n{card.kind.title}"
    form = "block" if card.kind.block else layout
    made: dict[str, Answer] = {}
    for count, padding in enumerate(fillers(answers, rng)):
        while len(made) == count:  # no two alike
            answer = compose(card, known, draw_plan(card, asked, padding, rng), form, rng)
            made.setdefault(answer.text, answer)
    return Question(_turns(number, card, asked, layout, rng), card.kind.title, table, layout, tuple(made.values()))


def _asked(card: Card, layout: str, rng: np.random.Generator) -> tuple[int, ...]:
    """Two or three facts; where the answer holds a block, the two that it states come first."""
    if card.kind.block:
        return (0, 1, 2)[: rng.integers(2, 4)]
    return tuple(int(a) for a in rng.permutation(len(card.values))[: rng.integers(2, 4)])


def _turns(
    number: int, card: Card, asked: tuple[int, ...], layout: str, rng: np.random.Generator
) -> tuple[tuple[str, str], ...]:
    parts = [card.kind.attributes[a].question.replace("{n}", card.name) for a in asked]
    question = str(rng.choice(FORMS)).format(", ".join(parts[:-1]) + " and " + parts[-1]) + ASKS[layout]
    if number % 20 not in FOLLOW_UPS:
        return (("user", question),)
    return (
        ("user", f"Is {card.name} in the table?"),
        ("assistant", f"Yes. The table lists {card.name} under “{card.kind.title}”."),
        ("user", f"Good. {question}"),
    )


def _spread(pairs: list[tuple[int, int, int]], count: int, rng: np.random.Generator) -> set[tuple[int, int, int]]:
    """Pairs of as many different questions as can be, the first questions first."""
    seen: Counter[int] = Counter()
    turns = []  # (how many of its question came before, question, pair)
    for i in rng.permutation(len(pairs)):
        question = pairs[i][0]
        turns.append((seen[question], question, pairs[i]))
        seen[question] += 1
    return {pair for *_, pair in sorted(turns)[:count]}


def _verdicts(
    questions: tuple[Question, ...],
    pair: tuple[int, int, int],
    raters: tuple[Rater, ...],
    overlap: int,
    rng: np.random.Generator,
) -> Iterator[Verdict]:
    """Different raters, each with the order shown at random."""
    number, a, b = pair
    for who in rng.permutation(len(raters))[:overlap]:
        shown = (a, b) if rng.random() < 0.5 else (b, a)
        yield judge(raters[who], number, questions[number].answers, shown, rng)
