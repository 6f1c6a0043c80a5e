"""The known world as a Dataset: what the training job would read, without a database."""

from collections import defaultdict

import numpy as np

from annotate.formats.record import Turn, prompt_sha256, split_of
from annotate.world import SCHEMA, Question, World
from worker.rm.types import Comparison, Dataset, Example, SpanLabel


def dataset(world: World) -> Dataset:
    """Training examples have the raters' spans and ratings; held-out ones have the planted flaws, to be found."""
    groups = [prompt_sha256(Turn(role=role, content=text) for role, text in q.turns) for q in world.questions]
    held = {group for group in groups if split_of(group) == "test"}
    spans, ratings = _said(world)
    examples, place = [], {}
    for number, (question, group) in enumerate(zip(world.questions, groups, strict=True)):
        for index, answer in enumerate(question.answers):
            at = place[number, index] = len(examples)
            marks = answer.flaws if group in held else spans[number, index]
            said = {name: float(np.mean(values)) for name, values in ratings[number, index].items()}
            examples.append(_example(str(at), group, question, answer.text, marks, said))
    pairs: dict[bool, list[Comparison]] = {True: [], False: []}
    for verdict in world.verdicts:
        first, second = (place[verdict.question, index] for index in verdict.shown)
        pairs[groups[verdict.question] in held].append(
            Comparison(first, second, verdict.p, 1.0, verdict.strength, verdict.rater)
        )
    categories, criteria = (tuple(part.key for part in parts) for parts in (SCHEMA.categories, SCHEMA.criteria))
    return Dataset(examples, pairs[False], pairs[True], categories, criteria, frozenset(held))


def _example(key: str, group: str, question: Question, text: str, marks, ratings: dict[str, float]) -> Example:
    spans = tuple(SpanLabel(*mark) for mark in sorted(marks))
    return Example(key, group, question.turns, text, (f"{question.title}\n{question.table}",), spans, ratings)


def _said(world: World) -> tuple[dict, dict]:
    """(question, answer) → the union of the raters' spans, and the ratings by criterion."""
    spans, ratings = defaultdict(set), defaultdict(lambda: defaultdict(list))
    for verdict in world.verdicts:
        for index in verdict.shown:
            spans[verdict.question, index].update(verdict.spans[index])
            for name, value in verdict.ratings[index].items():
                ratings[verdict.question, index][name].append(value)
    return spans, ratings
