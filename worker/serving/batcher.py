"""Requests that arrive within a few milliseconds share a forward pass; each gets the scores of its own examples.

One thread scores; while it works, what arrives waits and makes the next batch. What does not fit the queue is refused
at once, so that a client slows down instead of timing out.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from worker.rm.types import Example, Scored

log = logging.getLogger(__name__)
Score = Callable[[Sequence[Example]], tuple[str, Scored]]  # the version's name, and what it says


class Full(Exception):
    """More waits than the queue takes."""


@dataclass(eq=False)
class Request:
    examples: list[Example]
    tokens: int
    answer: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    def __init__(self, score: Score, *, budget: int, wait: float, most: int) -> None:
        """`budget`: tokens of a batch, about; `wait`: seconds; `most`: examples that may wait."""
        self._score, self._budget, self._wait, self._most = score, budget, wait, most
        self._queue: deque[Request] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "score")
        self._task: asyncio.Task | None = None
        self.batches = self.answered = 0
        self._busy = False

    @property
    def waiting(self) -> int:
        """Examples in the queue."""
        return sum(len(request.examples) for request in self._queue)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Answer everything that waits, then end."""
        while self._queue or self._busy:
            await asyncio.sleep(0.01)
        self._task.cancel()
        self._thread.shutdown()

    async def submit(self, examples: list[Example]) -> tuple[str, Scored]:
        """The version that scored them, and their scores in their order. Raises Full, or what scoring raised."""
        if self._queue and self.waiting + len(examples) > self._most:
            raise Full
        request = Request(examples, sum(map(about_tokens, examples)))
        self._queue.append(request)
        self._arrived.set()
        return await request.answer

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._busy = True
            if sum(request.tokens for request in self._queue) < self._budget:
                await asyncio.sleep(self._wait)  # others may join
            await self._answer(self._take())
            self._busy = False

    def _take(self) -> list[Request]:
        """From the front, as many as the budget takes, and at least one."""
        batch, tokens = [], 0
        while self._queue and (not batch or tokens + self._queue[0].tokens <= self._budget):
            batch.append(self._queue.popleft())
            tokens += batch[-1].tokens
        if not self._queue:
            self._arrived.clear()
        return batch

    async def _answer(self, batch: list[Request]) -> None:
        try:
            version, found = await self._scored([example for request in batch for example in request.examples])
        except Exception as error:
            log.warning("A batch of %d requests failed: %s", len(batch), error)
            if len(batch) == 1:
                _settle(batch[0].answer.set_exception, batch[0], error)
            else:  # one request must not fail the others
                for request in batch:
                    await self._answer([request])
            return
        self.batches, self.answered, start = self.batches + 1, self.answered + len(found.tokens), 0
        for request in batch:
            part = slice(start, start := start + len(request.examples))
            _settle(request.answer.set_result, request, (version, _part(found, part)))

    async def _scored(self, examples: list[Example]) -> tuple[str, Scored]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._score, examples)


def _settle(how: Callable, request: Request, value: object) -> None:
    if not request.answer.done():  # its client may have gone
        how(value)


def _part(found: Scored, part: slice) -> Scored:
    heads = {head: values[part] for head, values in found.heads.items()}
    return Scored(heads, found.tokens[part], found.truncated[part])


def about_tokens(example: Example) -> int:
    """A guess from bytes, four to a token: exact counts would tokenise everything twice."""
    texts = [example.response, *(content for _, content in example.turns)]
    return 1 + sum(len(text.encode("utf-8", "surrogatepass")) for text in texts) // 4
