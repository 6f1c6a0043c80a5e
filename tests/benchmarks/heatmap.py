"""The heat-map of a pair of 512 tokens each with the bundled backbone: explained anew, and looked at again.

The page lies in a project of 10,000 judged pairs. Cold is a worker's job with its rows stored, of a pair that it never
read; cached is the whole page of an explained pair over HTTP, the first look of the process left out.

    python -m tests.benchmarks.heatmap [--quick]
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.__main__ import machine
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
from tests.inspector.making import judge, make_item, score
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
tokens = [len(one.tokens) for one in Attribution.objects.filter(response__in=[a, b])]
client = Client()
client.force_login(user)
print(json.dumps([client.cookies["sessionid"].value, items[-1].pk, tokens, spent[1:]]))
"""


def told(name: str, value: float, unit: str, target: float, **more: object) -> None:
    figures = {"name": name, "ours": round(value, 3), "unit": unit, "target": f"≤ {target}", "holds": value <= target}
    print(json.dumps(figures | {"machine": machine()} | more), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        session, item, tokens, cold = json.loads(site.run(SEED.format(pairs=PAIRS, cold=COLD)).splitlines()[-1])
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


if __name__ == "__main__":
    main()
