"""One project: its items, tasks, judgements, jobs, versions, scores, explanations and suites."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from touchstone_client.records import Attribution, Job, JobEvent, Score, Suite, Version
from touchstone_client.wire import Wire

ENDED = ("done", "failed", "cancelled")
BATCH = 500  # rows of one request
LARGE = 500  # rows of one page
WAIT = 20.0  # seconds that the server may keep a question about events


class JobFailed(Exception):
    """A job that was waited for did not come to its end; `job` says why."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(f"Job {job['id']} {job['state']}: {job['error']} {job['advice']}".strip())


class Task:
    """A leased task: what to judge, and what becomes of it. `asked` is all that the server says of it."""

    def __init__(self, project: Project, asked: dict[str, Any]) -> None:
        self.wire, self.asked, self.path = project.wire, asked, f"{project.path}/tasks/{asked['assignment']}"

    @property
    def turns(self) -> list[dict[str, str]]:
        """The conversation."""
        return self.asked["turns"]

    @property
    def responses(self) -> list[dict[str, Any]]:
        """id, text and steps of each, in the order in which to read them."""
        return self.asked["responses"]

    def submit(self, outcome: str, *, active_ms: int = 0, flag: str = "", **said: Any) -> int:
        """The id of the judgement. `said` is the rest of the answer: ranking, strength, spans, ratings, rationale …"""
        answer = {**self.asked["answer"], "outcome": outcome, **said}
        body = {"answer": answer, "active_ms": active_ms, "flag": flag}
        return self.wire.post(f"{self.path}/submit", body)["judgement"]

    def skip(self, reason: str = "") -> None:
        """Give it back; it is not given to you again."""
        self.wire.post(f"{self.path}/skip", {"reason": reason})

    def heartbeat(self) -> bool:
        """Still at work. False where the time ran out and somebody else has the last place."""
        return self.wire.post(f"{self.path}/heartbeat")["held"]


class Project:
    """By its slug. Methods that list are iterators and ask for the next page when they need it."""

    def __init__(self, wire: Wire, slug: str) -> None:
        self.wire, self.slug, self.path = wire, slug, f"/projects/{slug}"

    def about(self) -> dict[str, Any]:
        """Its name, and your role in it."""
        return self.wire.get(self.path)

    def progress(self) -> dict[str, int]:
        """How many items there are, and how much of what is wanted of them is judged."""
        return self.wire.get(f"{self.path}/progress")

    # ---- Items in, judgements out

    def items(self, *, q: str | None = None, split: str | None = None) -> Iterator[dict[str, Any]]:
        """With their responses, in the order in which they came; those that hold the words `q`."""
        return self.wire.pages(f"{self.path}/items", q=q, split=split)

    def add_items(
        self, rows: Iterable[Mapping[str, Any]], *, format: str = "auto", batch: int = BATCH
    ) -> dict[str, int]:
        """Import rows as they come, `batch` at a time, each whole or not at all; how many were new, added up.

        What is there already is passed by: after an error the same rows can be sent again.
        """
        told: Counter[str] = Counter()
        source = iter(rows)
        while part := list(islice(source, batch)):
            said = self.wire.post_lines(f"{self.path}/items", lines_of(part), format=format)
            told.update({name: value for name, value in said.items() if isinstance(value, int)})
        return dict(told)

    def judgements(self, *, item: int | None = None, source: str | None = None) -> Iterator[dict[str, Any]]:
        """Current ones, in the order in which they were made."""
        return self.wire.pages(f"{self.path}/judgements", item=item, source=source)

    def export(self, format: str = "touchstone", *, after: int = 0, **wanted: Any) -> Iterator[dict[str, Any]]:
        """Rows of an export, streamed; `after` is `cursor` or `item` of the last one that arrived."""
        return self.wire.lines(f"{self.path}/judgements/export", format=format, after=after, **wanted)

    # ---- Tasks

    def lease(self) -> Task | None:
        """The next task of the token's owner; None where there is none now."""
        said = self.wire.post(f"{self.path}/tasks/lease")
        return Task(self, said["task"]) if said["task"] else None

    def tasks(self) -> Iterator[Task]:
        """One after the other until there is none; submit or skip each before you take the next."""
        while task := self.lease():
            yield task

    # ---- Jobs

    def jobs(self, *, kind: str | None = None, state: str | None = None) -> Iterator[Job]:
        """The newest first."""
        return self.wire.pages(f"{self.path}/jobs", kind=kind, state=state)

    def job(self, job: int) -> Job:
        """As it is now."""
        return self.wire.get(f"{self.path}/jobs/{job}")

    def train(self, trainer: str = "heads", overrides: Mapping[str, Any] | None = None, **place: str) -> Job:
        """Launch a training on the judgements as they are now; overrides as {"tuning.epochs": 2}.

        `place`: backbone, the name of a registered one, and queue, cpu or gpu.
        """
        return self.wire.post(f"{self.path}/train", {"trainer": trainer, "overrides": dict(overrides or {}), **place})

    def cancel(self, job: int) -> Job:
        """Ask it to stop."""
        return self.wire.post(f"{self.path}/jobs/{job}/cancel")

    def retry(self, job: int) -> Job:
        """A new job with the parameters of one that failed or was cancelled."""
        return self.wire.post(f"{self.path}/jobs/{job}/retry")

    def resume(self, job: int) -> Job:
        """A new job that goes on from the last checkpoint of one that stopped."""
        return self.wire.post(f"{self.path}/jobs/{job}/resume")

    def watch(self, job: int, after: int = 0) -> Iterator[JobEvent]:
        """Its events as they happen, each once, until it ends. Breaks of the connection lose none."""
        while True:
            asked = time.monotonic()
            told = self.wire.get(f"{self.path}/jobs/{job}/events", after=after, wait=WAIT)
            yield from told["events"]
            after = told["last"]
            if told["ended"]:
                return
            if not told["events"] and time.monotonic() - asked < 1:  # the server is too busy to let us wait there
                self.wire.sleep(1)

    def wait(self, job: int) -> Job:
        """The job once it is done; JobFailed where it ended otherwise."""
        for _ in self.watch(job):
            pass
        found = self.job(job)
        if found["state"] != "done":
            raise JobFailed(found)
        return found

    # ---- Versions, scores, explanations

    def versions(self, *, state: str | None = None) -> Iterator[Version]:
        """The newest first."""
        return self.wire.pages(f"{self.path}/versions", state=state)

    def version(self, number: int) -> dict[str, Any]:
        """With its metrics and intervals, lineage and standing."""
        return self.wire.get(f"{self.path}/versions/{number}")

    def promote(self, number: int) -> Version:
        """Put it into use; the one before is archived."""
        return self.wire.post(f"{self.path}/versions/{number}/promote")

    def archive(self, number: int) -> Version:
        """Put it away."""
        return self.wire.post(f"{self.path}/versions/{number}/archive")

    def score_responses(self, number: int) -> Job:
        """Launch the scoring of the project's responses."""
        return self.wire.post(f"{self.path}/versions/{number}/score")

    def scores(self, number: int, *, head: str | None = None, item: int | None = None) -> Iterator[Score]:
        """What the version gives the project's responses."""
        return self.wire.pages(f"{self.path}/versions/{number}/scores", head=head, item=item, limit=LARGE)

    def score(self, number: int, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Rows of prompt and response(s), each with what the version says of it; waits for the job that does so."""
        job = self.wire.post_lines(f"{self.path}/versions/{number}/score-texts", lines_of(rows))
        self.wait(job["id"])
        return self.scored(job["id"])

    def scored(self, job: int) -> Iterator[dict[str, Any]]:
        """What a scoring of texts gave."""
        return self.wire.pages(f"{self.path}/jobs/{job}/scored")

    def explain(
        self, number: int, responses: Iterable[int], *, method: str = "exact", head: str = "preference"
    ) -> Iterator[dict[str, Any]]:
        """Why these responses got their scores, token by token; waits for the job that says so."""
        wanted = list(responses)
        body = {"responses": wanted, "methods": [method], "head": head}
        self.wait(self.wire.post(f"{self.path}/versions/{number}/attributions", body)["id"])
        for response in wanted:
            for found in self.attributions(number, response=response, method=method, head=head):
                yield self.attribution(number, found["id"])

    def attributions(self, number: int, **wanted: Any) -> Iterator[Attribution]:
        """Explanations that are there; by response, method and head."""
        return self.wire.pages(f"{self.path}/versions/{number}/attributions", **wanted)

    def attribution(self, number: int, attribution: int) -> dict[str, Any]:
        """One, with the value of each token and the sums."""
        return self.wire.get(f"{self.path}/versions/{number}/attributions/{attribution}")

    # ---- Suites

    def suites(self) -> Iterator[Suite]:
        """Frozen pairs that versions are measured on."""
        return self.wire.pages(f"{self.path}/suites")

    def import_suite(self, name: str, rows: Iterable[Mapping[str, Any]], *, format: str = "auto") -> Suite:
        """Freeze judged pairs into a suite."""
        return self.wire.post_lines(f"{self.path}/suites", lines_of(rows), name=name, format=format)

    def measure(self, suite: int, versions: Iterable[int]) -> Job:
        """Launch the measuring of versions on a suite."""
        return self.wire.post(f"{self.path}/suites/{suite}/run", {"versions": list(versions)})

    def results(self, suite: int) -> dict[str, Any]:
        """How versions stand on it, best first, with Wilson's intervals."""
        return self.wire.get(f"{self.path}/suites/{suite}/results")


def lines_of(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON lines."""
    return b"".join(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n" for row in rows)
