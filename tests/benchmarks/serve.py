"""Samples per second that serve_rm scores for 32 clients with one sample each: in micro-batches, and one by one.

    python -m tests.benchmarks.serve [--quick]

Both are the same command on the same version over the network, in turns; one by one is a batch budget of one token.
Answers are 10 to 150 words. First both must give the same scores. A processor is as busy with one sample as with many,
so there micro-batches have only to cost nothing; an accelerator starves on one sample at a time.
"""

import contextlib
import http.client
import json
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from tests.benchmarks.__main__ import machine
from tests.site import Site

CLIENTS = 32
TARGETS = {False: 1.0, True: 3.0}  # by whether there is an accelerator
WORDS = (
    "the tower of town stands north river near old bridge and people say it was built long ago by many hands".split()
)


def samples(count: int) -> list[dict]:
    draw = random.Random(0)
    text = lambda n: " ".join(draw.choices(WORDS, k=n))  # noqa: E731
    return [{"prompt": f"{text(8)} {n}?", "response": f"{text(draw.randint(10, 150))}."} for n in range(count)]


class Client:
    """A connection that stays open."""

    def __init__(self, port: int, secret: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def score(self, item: dict) -> float:
        self.line.request("POST", "/score", json.dumps({"items": [item]}), self.headers)
        return json.load(self.line.getresponse())["items"][0]["score"]


def ask(port: int, secret: str, items: list[dict]) -> tuple[list[float], float]:
    """Scores in order, and samples per second."""
    clients = [Client(port, secret) for _ in range(CLIENTS)]
    parts = [items[n::CLIENTS] for n in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        began = time.perf_counter()
        found = list(pool.map(lambda both: [both[0].score(item) for item in both[1]], zip(clients, parts, strict=True)))
        seconds = time.perf_counter() - began
    scores = [0.0] * len(items)
    for n, part in enumerate(found):
        scores[n::CLIENTS] = part
    return scores, len(items) / seconds


def measure(site: Site, secret: str, items: list[dict], *options: str) -> tuple[list[float], float]:
    server = site.start("manage.py", "serve_rm", "served:1", "--port", str(site.port), *options)

    def healthy() -> bool:
        with contextlib.suppress(OSError):
            return bool(site.get("/health"))
        return False

    site.wait_until(healthy, 120)
    ask(site.port, secret, items[:CLIENTS])
    told = ask(site.port, secret, items)
    server.terminate()
    server.wait(60)
    return told


def main() -> None:
    quick = "--quick" in sys.argv
    items, rates, scores = samples(96 if quick else 1024), {"ours": [], "peer": []}, {}
    ways = {"ours": (), "peer": ("--max-batch-tokens", "1", "--wait-ms", "0")}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        site = Site(Path(folder), DATABASE_URL=f"sqlite:///{folder}/touchstone.sqlite3", OMP_NUM_THREADS="2")
        stack.callback(site.__exit__)
        site.manage("migrate", "-v0")
        secret = json.loads(site.run("from tests.worker.serving.ready import main; main()").splitlines()[-1])["secret"]
        for _ in range(1 if quick else 3):
            for name, options in ways.items():
                scores[name], rate = measure(site, secret, items, *options)
                rates[name].append(rate)
    apart = max(abs(a - b) for a, b in zip(scores["ours"], scores["peer"], strict=True))
    if apart > 1e-5:
        raise SystemExit(f"the two ways differ by {apart}")
    ours, peer = (statistics.median(rates[name]) for name in ("ours", "peer"))
    target = TARGETS[torch.cuda.is_available()]
    line = {
        "name": "serve_rm, 32 clients: micro-batched beside one by one",
        "ours": round(ours, 1),
        "peer": round(peer, 1),
        "unit": "samples/s",
        "ratio": round(ours / peer, 2),
        "target": target,
        "holds": ours / peer >= target,
        "machine": machine(),
        "apart": apart,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
