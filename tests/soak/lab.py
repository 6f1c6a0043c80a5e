"""A researcher without the screen: trains, has it scored, follows each job by its events, reads its page, retries."""

import json
import re
import threading
import time

from tests.soak.browser import Browser

HEADS = {"name": "heads", "backbone": "minilm", "queue": "cpu"}
STATES = ("done", "failed", "cancelled")


class Researcher:
    """work() until told that it is over; what it saw that should not be is in `faults`."""

    def __init__(self, slug: str, browser: Browser) -> None:
        self.slug, self.browser = slug, browser
        self.jobs: list[int] = []
        self.faults: list[str] = []
        self.trained = self.retried = 0
        self.error: BaseException | None = None

    def work(self, over: threading.Event) -> None:
        try:
            while not over.is_set():
                if pk := self.launch():
                    self.see_through(pk)
                else:
                    time.sleep(0.5)  # there are too few judgements yet
        except BaseException as error:
            self.error = error

    def launch(self) -> int | None:
        """A training of all judgements there are."""
        url = f"/p/{self.slug}/train/"
        self.browser.send("GET", url)  # for the token
        return self.job_in(*self.browser.send("POST", url, form=HEADS))

    def see_through(self, pk: int) -> None:
        """Until it is done, and what scores its version too; what fails is retried, by the button on its page."""
        while self.follow(pk) == "failed":
            self.retried += 1
            pk = self.job_in(*self.browser.send("POST", f"/p/{self.slug}/jobs/{pk}/retry/", form={})) or pk
        self.trained += 1
        _, page, _ = self.browser.send("GET", f"/p/{self.slug}/jobs/{pk}/")
        if version := re.search(rf"/p/{self.slug}/versions/(\d+)/", page):
            url = f"/p/{self.slug}/versions/{version[1]}/score/"
            if scoring := self.job_in(*self.browser.send("POST", url, form={})):
                self.follow(scoring)

    def follow(self, pk: int) -> str:
        """Its end, once the numbered events say that there is one; gaps and repeats among them are faults."""
        self.jobs.append(pk)
        last, state = 0, ""
        while state not in STATES:
            status, text, _ = self.browser.send("GET", f"/p/{self.slug}/jobs/{pk}/events/?after={last}")
            if status != 200:
                self.faults.append(f"the events of job {pk} were answered {status}")
                return "lost"
            told = json.loads(text)
            numbers = [event["number"] for event in told["events"]]
            if numbers != list(range(last + 1, last + 1 + len(numbers))):
                self.faults.append(f"job {pk} told events {numbers} after {last}")
            last = told["last"]
            state = next((e["text"] for e in reversed(told["events"]) if e["kind"] == "state"), state)
            time.sleep(0.3)
        return state

    def job_in(self, status: int, text: str, where: str) -> int | None:
        found = re.search(r"/jobs/(\d+)/", where)
        return int(found[1]) if status == 302 and found else None
