"""python -m tests.soak --minutes N: rounds of the soak until the time is over; exit 1 with what is wrong."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.postgres import SERVER, own_database
from tests.soak.house import House
from tests.soak.run import soak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--raters", type=int, default=60)
    parser.add_argument("--tasks", type=int, default=400, help="of one round")
    parser.add_argument("--server", default=SERVER, help="PostgreSQL in which a database is made, and dropped")
    options = parser.parse_args()
    until, number = time.monotonic() + options.minutes * 60, 0
    with (
        tempfile.TemporaryDirectory() as folder,
        own_database(options.server) as database,
        House(Path(folder), DATABASE_URL=database) as house,
    ):
        while time.monotonic() < until:
            number += 1
            size = {"tasks": options.tasks, "overlap": 3, "raters": options.raters, "patience": 600}
            done = soak(house, database, slug=f"soak-{number}", **size)
            print(f"round {number}: {done.judgements} judgements in {done.seconds:.0f} s, {done.refused} refused, "
                  f"{done.kills} kills, {len(done.faults)} faults", flush=True)  # fmt: skip
            if done.faults:
                print("\n".join(done.faults[:50]))
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
