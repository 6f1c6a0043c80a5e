"""One backbone and one small world for all tests of reward models: facts, and answers that keep or break them."""

import random
from hashlib import sha256

import pytest
import torch

from tests.worker.rm import tiny
from worker.rm import backbone, embed
from worker.rm.recipe import Recipe
from worker.rm.training import fit_embedded
from worker.rm.types import Comparison, Dataset, Example, SpanLabel

PLACES = "Arvel Bruma Corsk Dunmere Elvas Fendry Gorlan Hestal Ivary Jorun Kelso Lomar".split()
FILLER = " By the way, my cousin likes to collect old stamps."


def answer(place: str, height: int, said: int, filler: bool) -> tuple[str, tuple[SpanLabel, ...]]:
    """A response and its planted flaws: a wrong number, an irrelevant sentence."""
    text = f"The tower of {place} stands {said} metres tall."
    spans = () if said == height else (SpanLabel(0, len(text), "wrong"),)
    if filler:
        spans += (SpanLabel(len(text) + 1, len(text) + len(FILLER), "irrelevant"),)
        text += FILLER
    return text, spans


def question(n: int) -> list[Example]:
    """Four answers to one question: right or wrong, with or without filler."""
    place, height = PLACES[n % len(PLACES)], 100 + 7 * n
    prompt = f"How tall is the tower of {place}?"
    found = []
    for said, filler in ((height, False), (height, True), (height + 40, False), (height + 40, True)):
        text, spans = answer(place, height, said, filler)
        found.append(
            Example(
                key=f"{n}-{len(found)}",
                group=sha256(f"{prompt}{n}".encode()).hexdigest(),
                turns=(("user", prompt),),
                response=text,
                context=(f"The tower of {place} is {height} metres tall.\nIt was built long ago.",),
                spans=spans,
                ratings={"quality": 5.0 - 2 * (said != height) - filler},
            )
        )
    return found


def dataset(questions: int = 36, held: int = 9, seed: int = 0) -> Dataset:
    """Every pair of every question, judged by quality; the first shown wins ties half of the time."""
    rng = random.Random(seed)
    examples = [example for n in range(questions) for example in question(n)]
    train, test = [], []
    for n in range(questions):
        for a in range(4):
            for b in range(a + 1, 4):
                one, two = rng.sample([4 * n + a, 4 * n + b], 2)
                gap = examples[one].ratings["quality"] - examples[two].ratings["quality"]
                p = 0.5 if abs(gap) == 1 and rng.random() < 0.3 else float(gap > 0)
                (test if n < held else train).append(Comparison(one, two, p))
    groups = frozenset(example.group for example in examples[: 4 * held])
    return Dataset(examples, train, test, ("irrelevant", "wrong"), ("quality",), groups)


@pytest.fixture(scope="session")
def minilm():
    torch.set_num_threads(1)  # texts this short gain nothing from more, and the cores may be shared
    return backbone.load("minilm")


@pytest.fixture(scope="session")
def llama(tmp_path_factory, world):
    """The folder of a tiny random Llama."""
    return str(tiny.llama(tmp_path_factory.mktemp("llama"), [one.response for one in world.examples]))


@pytest.fixture(scope="session")
def qwen(tmp_path_factory, world):
    """The folder of a tiny random Qwen."""
    return str(tiny.qwen(tmp_path_factory.mktemp("qwen"), [one.response for one in world.examples]))


@pytest.fixture(scope="session")
def world():
    return dataset()


@pytest.fixture(scope="session")
def embedded(minilm, world):
    return embed.embed(minilm, world.examples)


@pytest.fixture(scope="session")
def trained(minilm, world, embedded):
    return fit_embedded(world, embedded, minilm, Recipe())
