"""What this process runs on: its accelerators, its memory, and which code it is. Asks the driver and the kernel,
never torch: the process that asks need not hold a model."""

import hashlib
import logging
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import psutil
from django.conf import settings

log = logging.getLogger(__name__)
MIB = 2**20
GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Memory:
    """In bytes; the accelerators' is None where there is none."""

    memory_used: int
    memory_total: int
    gpu_used: int | None
    gpu_total: int | None


def memory() -> dict[str, int | None]:
    """The fields of Memory, as they are now."""
    return asdict(Memory(*_host_memory(), *_gpu_memory()))


def device_in_words() -> str:
    """The accelerators of this process with their memory, or its processor's threads."""
    if gpus := _ask_driver("name,memory.total"):
        return ", ".join(gpus)
    threads = os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0))
    return f"cpu, {threads} thread{'' if str(threads) == '1' else 's'}"


@cache
def code_version() -> str:
    """The first letters of the sha256 over our Python files: equal on two hosts when they run the same code."""
    whole = hashlib.sha256()
    for room in ("annotate", "config", "inspector", "worker"):
        for path in sorted((settings.BASE_DIR / room).rglob("*.py")):
            whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


def _gpu_memory() -> tuple[int, int] | tuple[None, None]:
    """(used, total) of the accelerators together. Some share the machine's memory and tell none of their own."""
    each = [line.split(", ") for line in _ask_driver("memory.used,memory.total", "nounits")]
    told = [(int(used) * MIB, int(total) * MIB) for used, total in each if used.isdecimal() and total.isdecimal()]
    return tuple(map(sum, zip(*told, strict=True))) if told else (None, None)


def _host_memory() -> tuple[int, int]:
    """(used, total) of the machine, or of the group it is held to where that has less, as a container has."""
    host, group = psutil.virtual_memory(), _own_group()
    limit = _number(group / "memory.max")
    if limit is None or limit >= host.total:
        return host.total - host.available, host.total
    return max(0, _number(group / "memory.current") - _file_cache(group)), limit


def _own_group() -> Path:
    """Of this process, by version 2 of the kernel's control groups; a container sees its own as the root."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    return GROUPS / own


def _number(path: Path) -> int | None:
    """None where there is no such file, or no limit in it."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _file_cache(group: Path) -> int:
    """What the kernel gives back when somebody needs it."""
    lines = (group / "memory.stat").read_text().splitlines()
    return int(next((line.split()[1] for line in lines if line.startswith("inactive_file ")), 0))


def _ask_driver(fields: str, *more: str) -> list[str]:
    """One line for each accelerator that this process may use; none without a driver."""
    visible, asked = os.environ.get("CUDA_VISIBLE_DEVICES"), shutil.which("nvidia-smi")
    if not asked or visible == "":
        return []
    command = [asked, f"--query-gpu={fields}", f"--format={','.join(['csv', 'noheader', *more])}"]
    if visible:
        command.append(f"--id={visible}")
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (subprocess.SubprocessError, OSError) as error:
        log.warning("The driver of the accelerators does not answer: %s", error)
        return []
    return [line.strip() for line in told.splitlines() if line.strip()]
