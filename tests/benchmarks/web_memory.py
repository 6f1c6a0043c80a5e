"""Resident memory of one web process that has served the login page, the judging page and the inspector.

python -m tests.benchmarks.web_memory [--quick]
"""

import json
import re
import tempfile
from pathlib import Path

from tests.site import Site

TARGET_MB = 150


def resident_mb(pid: int) -> float:
    """VmRSS of a Linux process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        for _ in range(20):
            site.get("/login/")
        mb = round(resident_mb(site.web.pid), 1)
    line = {
        "name": "web process after 20 pages",
        "ours": mb,
        "unit": "MB resident",
        "target": f"< {TARGET_MB}",
    }
    print(json.dumps(line | {"holds": mb < TARGET_MB}))


if __name__ == "__main__":
    main()
