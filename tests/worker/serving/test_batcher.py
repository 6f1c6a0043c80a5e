"""Batches: order and identity under concurrency, budgets, failures that stay where they belong, a clean end."""

import asyncio
import threading
from hashlib import sha256

import numpy as np
import pytest

from worker.rm.types import Example, Scored
from worker.serving.batcher import Batcher, Full, about_tokens


def example(text):
    return Example(text, "", (("user", "?"),), text)


def value(text):
    """A number that no other text has."""
    return int(sha256(text.encode()).hexdigest()[:6], 16)


class Model:
    """Scores by value(); keeps its batches; can be held, and fails on the word bad."""

    def __init__(self):
        self.batches, self.gate, self.began = [], threading.Event(), threading.Event()
        self.gate.set()

    def __call__(self, examples):
        self.began.set()
        self.gate.wait(10)
        texts = [one.response for one in examples]
        self.batches.append(texts)
        if "bad" in texts:
            raise ValueError("bad was said")
        values = np.float32([value(text) for text in texts])
        return "p:1", Scored({"preference": values}, np.arange(len(texts)), values > 0)


def play(story, **limits):
    """Run a story with a batcher; what it returns, and the model."""

    async def run():
        model = Model()
        batcher = Batcher(model, **({"budget": 1000, "wait": 0.01, "most": 1000} | limits))
        batcher.start()
        try:
            return await story(batcher, model), model
        finally:
            model.gate.set()
            await batcher.close()

    return asyncio.run(run())


def asked(batcher, *texts):
    return asyncio.create_task(batcher.submit([example(text) for text in texts]))


def test_requests_that_arrive_together_share_a_batch_and_keep_their_own_scores():
    async def story(batcher, model):
        tasks = [asked(batcher, *(f"{n}-{k}" for k in range(n % 4 + 1))) for n in range(50)]
        return [found.heads["preference"].tolist() for _, found in await asyncio.gather(*tasks)]

    told, model = play(story)
    assert told == [[value(f"{n}-{k}") for k in range(n % 4 + 1)] for n in range(50)]
    assert len(model.batches) == 1


def test_what_arrives_while_a_batch_is_scored_makes_the_next():
    async def story(batcher, model):
        model.gate.clear()
        first = asked(batcher, "first")
        while not model.began.is_set():
            await asyncio.sleep(0.01)
        rest = [asked(batcher, str(n)) for n in range(9)]
        await asyncio.sleep(0.05)
        model.gate.set()
        await asyncio.gather(first, *rest)

    _, model = play(story)
    assert [len(batch) for batch in model.batches] == [1, 9]


def test_a_batch_ends_at_its_budget_and_a_large_request_goes_alone():
    async def story(batcher, model):
        await asyncio.gather(*[asked(batcher, "x" * 40) for _ in range(4)], asked(batcher, *["y" * 40] * 9))

    _, model = play(story, budget=2 * about_tokens(example("x" * 40)))
    assert [len(batch) for batch in model.batches] == [2, 2, 9]


def test_one_request_that_fails_does_not_fail_the_others():
    async def story(batcher, model):
        tasks = [asked(batcher, "one"), asked(batcher, "bad"), asked(batcher, "two")]
        return await asyncio.gather(*tasks, return_exceptions=True)

    (one, bad, two), _ = play(story)
    assert one[1].heads["preference"].tolist() == [value("one")]
    assert two[1].heads["preference"].tolist() == [value("two")]
    assert str(bad) == "bad was said"


def test_a_full_queue_refuses_and_takes_again_when_there_is_room():
    async def story(batcher, model):
        model.gate.clear()
        held = asked(batcher, "held")
        await asyncio.sleep(0.05)  # it is being scored; the queue is empty
        waits = asked(batcher, "a", "b")
        await asyncio.sleep(0)
        with pytest.raises(Full):
            await batcher.submit([example("c"), example("d")])
        model.gate.set()
        await asyncio.gather(held, waits)
        return await batcher.submit([example("c")])

    (_, found), _ = play(story, most=3)
    assert found.heads["preference"].tolist() == [value("c")]


def test_a_client_that_went_away_harms_nobody():
    async def story(batcher, model):
        model.gate.clear()
        gone, stays = asked(batcher, "gone"), asked(batcher, "stays")
        await asyncio.sleep(0.05)
        gone.cancel()
        model.gate.set()
        return await stays

    (_, found), _ = play(story)
    assert found.heads["preference"].tolist() == [value("stays")]


def test_the_end_answers_all_that_waits():
    async def run():
        model = Model()
        batcher = Batcher(model, budget=3, wait=0.0, most=100)
        batcher.start()
        tasks = [asked(batcher, str(n)) for n in range(20)]
        await asyncio.sleep(0)
        await batcher.close()
        return [task.done() for task in tasks] if not await asyncio.gather(*tasks) else batcher.answered

    assert asyncio.run(run()) == 20
