"""Our server and its peers in turns, by the driver that measured them: raters without think time, and what was stored.

    python -m tests.benchmarks.annotation_servers [--quick]

The driver and the peers' own drivers are ../shared/bench/web; the peers are what its setup_peers.sh installed into
$PEERS_DIR. A peer that is not there is left out, and said so. Needs root: a database server of its own is started.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.__main__ import machine

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT.parent / "shared" / "bench" / "web"
PEERS = Path(os.environ.get("PEERS_DIR", Path(tempfile.gettempdir()) / "peers"))
OURS = "touchstone"
WANTED = {"labelstudio-pg": ("ls", 10), "potato-gunicorn": ("potato", 3)}  # folder of each, times its throughput
ROUNDS = 1 if "--quick" in sys.argv else 2
BUSY = ["--users", "20", "--per-user", "25", "--double", "10"]
KILLED = ["--users", "5", "--per-user", "25", "--kills", "3"]


def run(peer: str, *options: str) -> dict:
    """One load test, as the harness reports it."""
    with tempfile.NamedTemporaryFile("r") as out:
        command = [PEERS / "harness/bin/python", Path(__file__).parent / "web/run.py", HARNESS, peer, *options]
        done = subprocess.run([*map(str, command), "--out", out.name], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{peer}: {done.stderr[-2000:]}")
        return json.loads(out.read())


def line(name: str, ours: float, peer: float | None, unit: str, target: str | None, holds: bool | None) -> None:
    ratio = round(ours / peer, 2) if peer else None
    figures = {"ours": round(ours, 1), "peer": peer and round(peer, 1), "unit": unit, "ratio": ratio, "target": target}
    print(json.dumps({"name": f"annotation servers: {name}", **figures, "holds": holds, "machine": machine()}))


def middle(runs: list[dict], key: str) -> float:
    return statistics.median(one[key] for one in runs)


def faults(runs: list[dict]) -> dict[str, int]:
    """What went wrong in all runs of a server, by name."""
    checked = [one["verify"] for one in runs]
    return {
        "judgements lost": sum(one["lost"] for one in checked),
        "wrong payloads": sum(one["wrong_payload"] for one in checked),
        "submits stored twice": sum(one["duplicated_user_item"] for one in checked)
        + sum(one["double"]["stored_twice"] for one in runs if one.get("double")),
        "items over the cap": sum(one["over_assigned_items"] for one in checked),
        "answers of 500": sum(n for one in runs for what, n in one["errors"].items() if "HTTP 5" in what),
        "submits refused after a kill": sum(one["unknown"] for one in runs if one["kills"]),
    }


def main() -> None:
    if not HARNESS.is_dir() or not (PEERS / "harness").is_dir():
        raise SystemExit(f"There is no harness at {HARNESS} with its environment in {PEERS}/harness: nothing measured.")
    there = [name for name, (folder, _) in WANTED.items() if (PEERS / folder / "bin/python").exists()]
    for name in WANTED.keys() - set(there):
        print(f"{name} is not installed in {PEERS}: left out", file=sys.stderr)
    busy: dict[str, list[dict]] = {name: [] for name in (OURS, *there)}
    for round_ in range(ROUNDS):
        for name in busy:
            busy[name].append(run(name, *BUSY, "--rep", str(round_)))
    for name in there:
        least = WANTED[name][1]
        ours, theirs = middle(busy[OURS], "throughput"), middle(busy[name], "throughput")
        line(f"judgements beside {name}", ours, theirs, "/s", f"≥ {least}×", ours >= least * theirs)
        cpu = "server_cpu_ms_per_judgement"
        line(f"server CPU beside {name}", middle(busy[OURS], cpu), middle(busy[name], cpu), "ms each", None, None)
    cpu = middle(busy[OURS], "server_cpu_ms_per_judgement")
    line("server CPU of a judgement, database included", cpu, None, "ms", "≤ 10", cpu <= 10)
    killed = [run(OURS, *KILLED)]
    for what, n in faults(busy[OURS] + killed).items():
        line(f"{what}, three kills and ten doubled submits among them", n, None, "times", "0", n == 0)


if __name__ == "__main__":
    main()
