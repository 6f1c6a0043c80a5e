"""A simulated rater: judges until nothing is left, and does on the way all that goes wrong in a day."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from tests.soak.browser import Browser, Gone

ODD = {"skip": 0.05, "late": 0.05, "vanish": 0.04, "double": 0.1, "deaf": 0.1, "draft": 0.15, "two tabs": 0.05}


@dataclass
class Sent:
    """One answer, and what is known of it: acknowledged, refused, or (neither) unknown."""

    rater: int
    key: str
    ranking: list[list[int]]
    note: str
    status: int | None = None
    unheard: bool = False  # an earlier try may still be on its way when a later one is refused


@dataclass
class Rater:
    user: int
    slug: str
    browser: Browser
    expire: Callable[[str], None]  # lets the lease behind an address run out
    chance: random.Random
    pace: float = 0  # seconds between answers, on average
    sent: list[Sent] = field(default_factory=list)
    error: BaseException | None = None

    def work(self, over: threading.Event) -> None:
        """Until told that it is over. An exception is kept, for the soak to fail with."""
        try:
            where = ""
            while not over.is_set():
                found = self.browser.page(where) if where else self.browser.next_page(self.slug)
                where = self.judge(*found) if found else ""
                time.sleep(self.chance.uniform(0, 2 * self.pace))
                if not found:
                    time.sleep(0.5)  # others hold the last tasks, or let them run out
        except BaseException as error:
            self.error = error

    def judge(self, url: str, data: dict) -> str:
        """Where the answer leads, if it came with a lease."""
        odd = self.chance.choices([*ODD, "plain"], [*ODD.values(), 1 - sum(ODD.values())])[0]
        if odd == "skip":
            self.browser.send("POST", f"{url}skip/", {})
            return ""
        body, sent = self.answer(data)
        gone = self.browser.gone
        if odd in ("vanish", "late"):
            self.expire(url)
        if odd == "vanish":
            return ""
        if odd == "draft":
            self.browser.send(
                "POST", f"{url}draft/", {"draft": {"answer": body["answer"]}, "revision": data["revision"]}
            )
        if odd == "two tabs":
            self.at_once(lambda: self.browser.next_page(self.slug))
        if odd == "deaf":
            with contextlib.suppress(Gone):
                self.browser.once("POST", f"{url}submit/", body, deaf=True)
        self.sent.append(sent)
        submit = lambda: self.browser.send("POST", f"{url}submit/", body)  # noqa: E731
        status, text, _ = min(self.at_once(submit) if odd == "double" else [submit()])
        sent.status, sent.unheard = status, odd == "deaf" or self.browser.gone > gone
        return json.loads(text)["next"] if status == 200 and "assignment" in text else ""

    def answer(self, data: dict) -> tuple[dict, Sent]:
        ids = [response["id"] for response in data["responses"]]
        self.chance.shuffle(ids)
        sent = Sent(self.user, uuid4().hex, [[pk] for pk in ids], f"because {uuid4().hex}")
        answer = {"outcome": "ranking", "ranking": sent.ranking, "strength": 2, "rationale": sent.note, **data["fixed"]}
        return {"answer": answer, "key": sent.key, "active_ms": 1, "lease": self.chance.random() < 0.7}, sent

    def at_once(self, act: Callable) -> list:
        """The act done twice at the same moment; an exception of either comes out."""
        results, errors = [], []

        def one() -> None:
            try:
                results.append(act())
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=one) for _ in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return results
