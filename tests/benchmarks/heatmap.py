"""The heat-map of a pair of 512 tokens each with the bundled backbone: explained anew, and looked at again.

The page lies in a project of 10,000 judged pairs. Cold is a worker's job with its rows stored, of a pair that it never
read; cached is the whole page of an explained pair over HTTP, the first look of the process left out. Scrolling is that
of a map of 4,000 tokens in a real Chromium, a step per frame: frames that the page begins, of at most 60 a second.

    python -m tests.benchmarks.heatmap [--quick]
"""

import json
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.__main__ import machine
from tests.browser import FLAGS, find
from tests.site import Site

QUICK = "--quick" in sys.argv
PAIRS = 500 if QUICK else 10_000
COLD, TIMES = (3, 11) if QUICK else (11, 41)
SEED = """
import json, time
import numpy as np
import torch
from django.test import Client
from annotate.models import User
from annotate.services.project import create_project
from tests.inspector.held_out import drawn, give, make_pairs, say
from tests.inspector.making import explain, judge, make_item, score
from tests.worker.model import scoring_version
from worker.models import Attribution, Job
from worker.services.job import launch, run_now
user = User.objects.create_superuser("admin")
project = create_project(slug="large", name="Large", actor=user)
version = scoring_version(project)
torch.set_num_threads(2)
pairs, rng = make_pairs(project, {pairs}), np.random.default_rng(0)
margins = rng.normal(0, 1.5, {pairs})
give(version, pairs, margins + rng.normal(0, 0.5, {pairs}))
say(project, pairs, drawn(margins))
words = "river town bridge harbour old stone water north long narrow winter market".split()
text = lambda: " ".join(rng.choice(words, 520)) + "."
items = [make_item(project, f"Where is it, number {{n}}?", text(), text()) for n in range({cold} + 1)]
spent = []
for item in items:
    ids = [response.pk for response in item.responses.all()]
    asked = {{"version": version.pk, "responses": ids, "methods": ["exact"], "heads": ["preference"]}}
    job = launch(project=project, kind="attribute", params=asked, queue="nobody")
    start = time.perf_counter()
    assert run_now(job).state == "done", job.error
    spent.append(time.perf_counter() - start)
a, b = items[-1].responses.all()
judge(items[-1], [[a], [b]])
score(version, {{a: 1.0, b: 2.0}})
long = make_item(project, "What are all of them?", " ".join(rng.choice(words, 3999)) + ".", "None.")
for response in long.responses.all():
    explain(version, response, **dict(zip(words, rng.normal(0, 1, len(words)).tolist())))
tokens = [len(one.tokens) for one in Attribution.objects.filter(response__in=[a, b])]
client = Client()
client.force_login(user)
print(json.dumps([client.cookies["sessionid"].value, items[-1].pk, long.pk, tokens, spent[1:]]))
"""

FRAMES = 90
SCROLL = """async (frames) => {
  scrollTo(0, 0);
  const times = [];
  for (let n = 0; n < frames + 10; n += 1) {
    const time = await new Promise(requestAnimationFrame);
    if (n >= 10) times.push(time);  // those before settle
    scrollBy(0, 40);
  }
  if (scrollY < 1000) throw new Error("the page did not scroll");
  return times;
}"""


def told(name: str, value: float, unit: str, target: float, **more: object) -> None:
    figures = {"name": name, "ours": round(value, 3), "unit": unit, "target": f"≤ {target}", "holds": value <= target}
    print(json.dumps(figures | {"machine": machine()} | more), flush=True)


def scrolled(chromium: str, url: str, path: str, session: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        page.goto(url + path)
        assert page.locator(".heat .piece").count() >= 4000, "the page painted less than the text"
        rounds = [page.evaluate(SCROLL, FRAMES) for _ in range(3 if QUICK else 9)]
    rates = [1000 * (len(times) - 1) / (times[-1] - times[0]) for times in rounds]
    slowest = [max(b - a for a, b in pairwise(times)) for times in rounds]
    line = {"name": "heat-map of 4,000 tokens, scrolled, p50", "ours": round(statistics.median(rates), 1)}
    line |= {"unit": "frames/s", "target": "≥ 60", "holds": round(statistics.median(rates)) >= 60, "machine": machine()}
    print(json.dumps(line | {"slowest_ms": round(statistics.median(slowest), 1)}), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        session, item, long, tokens, cold = json.loads(site.run(SEED.format(pairs=PAIRS, cold=COLD)).splitlines()[-1])
        told("heat-map of a 512-token pair, cold: the job, p50", statistics.median(cold), "s", 1.5, tokens=tokens)
        cookie, taken = {"Cookie": f"sessionid={session}"}, []
        for _ in range(TIMES + 1):
            start = time.perf_counter()
            body = site.get(f"/p/large/versions/1/heatmap/?item={item}", cookie)
            taken.append(1000 * (time.perf_counter() - start))
            assert body.count(b'class="piece') > 900, "the page painted less than both texts"
        beside = f"beside {PAIRS:,} judged pairs"
        told(f"heat-map of a 512-token pair, cached, {beside}, p50", statistics.median(taken[1:]), "ms", 50)
        told(f"heat-map of a 512-token pair, cached, {beside}, p95", sorted(taken[1:])[int(0.95 * TIMES)], "ms", 300)
        told(f"heat-map of a 512-token pair, {beside}, the first look", taken[0], "ms", 3000)
        if path := find():
            scrolled(path, site.url, f"/p/large/versions/1/heatmap/?item={long}", session)
        else:
            print("no Chromium, so nothing is scrolled: python -m tests.browser says how", file=sys.stderr)


if __name__ == "__main__":
    main()
