"""python -m tests.fuzz [--examples N] [--write]: bad inputs of all four kinds, many more than the suite sends.

One JSON line for each kind: how many were tried, refused, accepted, or an error of the server. Exit 1 with what is
wrong. The database is a new one beside DATABASE_URL's, SQLite without it. --write puts the counts into the docs.
"""

import argparse
import contextlib
import json
import os
import sys

import pytest

from tests.measured import put
from tests.site import ROOT

FILES = ("tests/test_api_fuzz.py", "tests/test_fuzz.py")


class Heard:
    """What the tests have to tell."""

    def __init__(self) -> None:
        self.lines: list[dict] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.lines += [line for name, line in report.user_properties if name == "fuzz"]


def rows(line: dict) -> str:
    """Of one kind, in the table: together, and by what was sent."""
    cells = ("tried", "refused", "accepted", "server_errors")
    parts = [(f"**{line['kind']}**", line), *line["of"].items()]
    return "".join(
        f"| {name} | " + " | ".join(f"{counts[cell]:,}" for cell in cells) + " |\n" for name, counts in parts
    )


def write(lines: list[dict], command: str) -> None:
    """Into docs/reliability.md, between the marks."""
    table = "| what was sent | tried | refused | taken | errors of the server |\n|---|--:|--:|--:|--:|\n"
    base = "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    text = f"{table}{''.join(map(rows, lines))}\nCommand, on {base}:\n\n    {command}\n"
    put("fuzz", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="the table of docs/reliability.md")
    options = parser.parse_args()
    os.environ["FUZZ_EXAMPLES"] = str(options.examples)
    heard = Heard()
    with contextlib.redirect_stdout(sys.stderr):
        failed = pytest.main([*(str(ROOT / name) for name in FILES), "-p", "no:cacheprovider"], plugins=[heard])
    print("\n".join(map(json.dumps, heard.lines)))
    if options.write and not failed:
        write(heard.lines, " ".join(["python", "-m", "tests.fuzz", *sys.argv[1:]]))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
