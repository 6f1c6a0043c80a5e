"""The inspector's pages over 200,000 scores of each of two versions and 100,000 verdicts, and a suite of 50,000 pairs.

python -m tests.benchmarks.pages [--quick]
"""

import json
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.__main__ import machine
from tests.site import Site

QUICK = "--quick" in sys.argv
PAIRS = 5_000 if QUICK else 100_000
TIMES = 21
PAGES = {
    "length": "versions/2/length/",
    "surface": "versions/2/surface/",
    "raters beside the model": "versions/2/raters/",
    "calibration": "versions/2/calibration/",
    "calibration, fitted": "versions/2/calibration/?t=fitted",
    "what changed": "versions/2/changed/",
    "what changed, page 2 of the pairs": "versions/2/changed/?page=2&kind=worse",
    "slices": "versions/2/slices/",
    "slices beside another version": "versions/2/slices/?against=1",
    "leaderboard": "leaderboard/",
}
SEED = """
import numpy as np
from django.test import Client
from annotate.models import Response, User
from annotate.services.project import create_project
from tests.inspector.held_out import drawn, give, make_pairs, say
from worker.models import Snapshot, Suite, SuitePair, SuiteScore, Surface, Version
from worker.services.standing import settle
from worker.surface import counts
user = User.objects.create_superuser("admin")
project = create_project(slug="large", name="Large", actor=user)
snapshot = Snapshot.objects.create(project=project, sha256="0" * 64, counts={{}})
about = {{"recipe": {{"name": "heads"}}, "backbone": "minilm", "encode_hash": "e" * 64, "file": "none"}}
about["file_sha256"] = "f" * 64
pairs, rng = make_pairs(project, {pairs}), np.random.default_rng(0)
margins = rng.normal(0, 1.5, {pairs})
suite = Suite.objects.create(project=project, name="large")
asked = {{"suite": suite, "turns": [{{"role": "user", "content": "What?"}}], "chosen": "one two", "rejected": "one"}}
rows = SuitePair.objects.bulk_create(
    SuitePair(category=f"c{{n % 20}}", prompt_sha256=str(n // 2), **asked) for n in range({pairs} // 2)
)
for number in (1, 2):
    version = Version.objects.create(project=project, number=number, snapshot=snapshot, heads=["preference"], **about)
    give(version, pairs, margins + rng.normal(0, 0.5, {pairs}))
    said = zip(rows, rng.normal(0.5, 1, len(rows)).tolist())
    SuiteScore.objects.bulk_create(SuiteScore(version=version, pair=p, chosen=v, rejected=0) for p, v in said)
    settle(suite, [version])
Version.objects.filter(number=1).update(state="promoted")
say(project, pairs, drawn(margins))
Surface.objects.bulk_create(Surface(response=one, **counts(one.text)) for one in Response.objects.iterator())
client = Client()
client.force_login(user)
print(client.cookies["sessionid"].value)
"""


def told(name: str, value: float, unit: str, target: float) -> None:
    figures = {"name": name, "ours": round(value, 3), "unit": unit, "target": f"≤ {target}", "holds": value <= target}
    print(json.dumps(figures | {"machine": machine()}), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        session = site.run(SEED.format(pairs=PAIRS)).split()[-1]
        cookie, shown = {"Cookie": f"sessionid={session}"}, f"{2 * PAIRS:,} scores"
        for name, path in PAGES.items():
            taken = []
            for _ in range(TIMES):
                start = time.perf_counter()
                body = site.get(f"/p/large/{path}", cookie)
                taken.append(time.perf_counter() - start)
            figures = re.findall(rb'<script id="[\w-]*figure" type="application/json">(.*?)</script>', body, re.DOTALL)
            assert figures, f"{path} drew nothing"
            told(f"{name}, {shown}, the first look", taken[0], "s", 60)
            told(f"{name}, {shown}, p95 after it", sorted(taken[1:])[int(0.95 * (TIMES - 2))], "s", 0.3)
            told(f"{name}, {shown}, its figures", sum(map(len, figures)) / 1000, "kB", 300)


if __name__ == "__main__":
    main()
