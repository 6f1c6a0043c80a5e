"""python -m tests.soak --minutes N [--faults KIND,…]: rounds of the soak until the time is over.

One JSON line for each kind of fault: how often, how often things went on, and the seconds until they did. Exit 1 with
what is wrong. --list names the kinds.
"""

import argparse
import json
import random
import statistics
import sys
import time

from tests.benchmarks.__main__ import machine
from tests.measured import put
from tests.soak import clock, services
from tests.soak.faults import KINDS, possible
from tests.soak.run import Incident, soak, stage


def line(kind: str, incidents: list[Incident]) -> dict:
    took = [one.seconds for one in incidents if one.kind == kind and one.seconds is not None]
    figures = {"median_seconds": round(statistics.median(took), 1), "max_seconds": round(max(took), 1)} if took else {}
    count = sum(one.kind == kind for one in incidents)
    return {"fault": kind, "count": count, "survived": len(took), **figures}


def write(told: list[dict], command: str, rounds: str) -> None:
    """Into docs/reliability.md, between the marks."""
    table = "| fault | times | survived | seconds until things went on: median | longest |\n|---|--:|--:|--:|--:|\n"
    for one in told:
        cells = (one["fault"], one["count"], one["survived"], one.get("median_seconds"), one.get("max_seconds"))
        table += "| " + " | ".join("–" if cell is None else str(cell) for cell in cells) + " |\n"
    text = f"{rounds}, on one machine: {machine()}.\n\n{table}\nCommand:\n\n    {command}\n"
    put("soak", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--faults", default="", help="kinds or beginnings of kinds, comma-separated; all by default")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true", help="the table of docs/reliability.md")
    parser.add_argument("--raters", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=400, help="of one round")
    options = parser.parse_args()
    if options.list:
        print("\n".join(KINDS))
        return 0
    if why := services.missing():
        print(why, file=sys.stderr)
        return 1
    incidents, number, wrong, judgements, trainings = [], 0, [], 0, 0
    with stage() as place:
        until = time.monotonic() + options.minutes * 60
        wanted = tuple(options.faults.split(","))
        kinds = [kind for kind in possible(*place[-2:]) if kind.startswith(wanted)]
        for kind in KINDS.keys() - set(possible(*place[-2:])):
            print(f"left out here: {kind} ({clock.missing() or 'nothing may be mounted'})", file=sys.stderr)
        while time.monotonic() < until and not wrong:
            number += 1
            order = random.Random(number).sample(kinds, len(kinds))
            done = soak(place, order, slug=f"soak-{number}", tasks=options.tasks, raters=options.raters, pace=3)
            incidents += done.incidents
            judgements, trainings = judgements + done.judgements, trainings + done.trainings
            wrong = done.faults + [f"not survived: {one.kind}" for one in done.incidents if one.seconds is None]
            said = f"{done.judgements} judgements, {done.refused} refused; {done.trainings} trainings"
            said += f", {done.retries} retried; {len(wrong)} wrong; {done.seconds:.0f} s"
            print(f"round {number}: {said}", file=sys.stderr, flush=True)
        if wrong:
            print(place[0].logs()[-20_000:], file=sys.stderr)
    told = [line(kind, incidents) for kind in kinds]
    print("\n".join(map(json.dumps, told)), flush=True)
    if options.write and not wrong:
        command = " ".join(["python", "-m", "tests.soak", *sys.argv[1:]])
        write(told, command, f"{judgements:,} judgements and {trainings} trainings in {number} rounds")
    print("\n".join(wrong[:50]), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
