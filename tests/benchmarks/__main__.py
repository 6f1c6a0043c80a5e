"""Runs every benchmark of this folder, or those named, and writes docs/benchmarks.md from what was printed last.

python -m tests.benchmarks [--quick] [name …]
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
KEPT = PAGE.with_suffix(".jsonl")  # the lines that the page is written from
INTRO = """# Benchmarks

Written by `make bench` from the lines the benchmarks print; not edited by hand. Medians and ratios of one run on one
machine, which was {machine}.
Megabytes are peak memory, ours / the peer's, each of the whole process; on a GPU that of the GPU. `finetune_gpu`
measures on a GPU alone: without its line here, none was to be had.

| what | ours | peer | unit | ratio | target | holds | beside it |
|---|---|---|---|---|---|---|---|
"""


def names(wanted: list[str]) -> list[str]:
    """Benchmarks by module name; all of them when none is asked for."""
    found = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    return [name for name in found if not wanted or name in wanted]


def lines(name: str, flags: list[str]) -> list[dict]:
    """What one benchmark printed, one dict per JSON line."""
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", *flags]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(out, end="", flush=True)
    return [
        json.loads(line) | {"command": " ".join(["python", *command[1:]])}
        for line in out.splitlines()
        if line.startswith('{"name"')  # a peer may print lines of its own
    ]


def row(line: dict) -> str:
    holds = {True: "yes", False: "**no**", None: None}[line.get("holds")]
    cells = [*(line.get(key) for key in ("name", "ours", "peer", "unit", "ratio", "target")), holds, beside(line)]
    return "| " + " | ".join("–" if cell is None else str(cell) for cell in cells) + " |\n"


def beside(line: dict) -> str | None:
    """What the line says of memory and of likeness, if anything."""
    told = []
    if "memory_mb" in line:
        told.append(" / ".join(f"{line[key]:,}" for key in ("memory_mb", "peer_memory_mb") if key in line) + " MB")
    if "loss_difference" in line:
        told.append(f"losses {line['loss_difference']:.1g} apart")
    if "flipped" in line:
        told.append(f"scores at most {line['difference']:.2g} apart, sd {line['reward_sd']:.2g}")
        told.append(f"{line['flipped']:.1%} of pairs turn")
    if line.get("share_of_peak"):
        told.append(f"{line['share_of_peak']:.0%} of the GPU's peak")
    return "; ".join(told) or None


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def keep(measured: list[dict]) -> list[dict]:
    """What was measured takes the place of what the same commands said before; the rest stays as it was."""
    old = [json.loads(text) for text in KEPT.read_text().splitlines()] if KEPT.exists() else []
    again = {line["command"] for line in measured}
    kept = [line for line in old if line["command"] not in again] + measured
    KEPT.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))
    return kept


def write(kept: list[dict]) -> None:
    commands = "".join(f"    {command}\n" for command in dict.fromkeys(line["command"] for line in kept))
    page = INTRO.format(machine=machine()) + "".join(map(row, kept)) + "\nCommands:\n\n" + commands
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    flags = [word for word in sys.argv[1:] if word.startswith("--")]
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    measured = [line for name in names(wanted) for line in lines(name, flags)]
    if "--quick" not in flags:
        write(keep(measured))
