"""The drift page over a large pool: 1,000 prompts × 1,000 candidates from stored scores, and 200,000 scores.

python -m tests.benchmarks.drift [--quick]
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
TIMES = 5 if QUICK else 21
MEMBERS = 4
POOLS = {"small": (200, 1000), "large": (200, 1000) if QUICK else (1000, 1000)}
SEED = """
import numpy as np
from django.test import Client
from annotate.models import User
from annotate.services.project import create_project
from worker.models import Pool, Snapshot, Version
from worker.services.columns import keep_columns
user = User.objects.create_superuser("admin")
project = create_project(slug="large", name="Large", actor=user)
snapshot = Snapshot.objects.create(project=project, sha256="0" * 64, counts={{}})
about = {{"recipe": {{"name": "heads"}}, "backbone": "minilm", "encode_hash": "e" * 64, "heads": [], "file": "none"}}
about["file_sha256"] = "f" * 64
version = Version.objects.create(project=project, number=1, snapshot=snapshot, **about)
for name, (prompts, candidates) in {pools}.items():
    pool = Pool.objects.create(project=project, name=name, sizes=[candidates] * prompts)
    quality, trick, noise = np.random.default_rng(0).normal(size=(3, pool.size))
    members = np.random.default_rng(1).normal(size=({members}, pool.size)) + quality + trick
    keep_columns(pool=pool, columns={{"gold": quality - 0.6 * np.maximum(trick - 1, 0) ** 2, "other": trick}})
    heads = {{f"member:{{n}}": values for n, values in enumerate(members)}} | {{"disagreement": members.std(0)}}
    heads = heads if name == "large" else {{}}
    keep_columns(pool=pool, version=version, columns={{"preference": quality + trick + noise / 2}} | heads)
client = Client()
client.force_login(user)
print(client.cookies["sessionid"].value, *project.pools.order_by("name").values_list("pk", flat=True))
"""


def seconds(site: Site, path: str, cookie: dict, prompts: int) -> list[float]:
    """Of each of TIMES requests, the first of which is the first that the process answers for the pool."""
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        body = site.get(path, cookie)
        taken.append(time.perf_counter() - start)
        assert f"candidates for each of {prompts:,} prompts".encode() in body, "the page drew another curve, or none"
    return taken


def told(name: str, value: float, unit: str, target: float) -> None:
    figures = {"name": name, "ours": round(value, 3), "unit": unit, "target": f"≤ {target}", "holds": value <= target}
    print(json.dumps(figures | {"machine": machine()}), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        session, large, small = site.run(SEED.format(pools=POOLS, members=MEMBERS)).split()[-3:]
        page, cookie = "/p/large/versions/1/drift/?pool=", {"Cookie": f"sessionid={session}"}
        site.get(f"{page}{small}", cookie)  # what a process looks up once
        of = seconds(site, f"{page}{small}", cookie, POOLS["small"][0])
        shown = "{:,} prompts × {:,} candidates"
        told(f"drift page, {shown.format(*POOLS['small'])}, p95", sorted(of)[int(0.95 * (len(of) - 1))], "s", 0.3)
        for proxy, name in (("metric:other", "one score"), ("head:preference", f"{MEMBERS} members' variance with it")):
            of = seconds(site, f"{page}{large}&proxy={proxy}", cookie, POOLS["large"][0])
            told(f"drift page, {shown.format(*POOLS['large'])}, {name}, first", of[0], "s", 1.0)
            told(f"drift page, {shown.format(*POOLS['large'])}, {name}, p50", statistics.median(of), "s", 1.0)


if __name__ == "__main__":
    main()
