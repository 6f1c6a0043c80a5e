"""python -m tests.audit_packages: has any installed package a known vulnerability?

Ends with 1 if one has. Where the advisories cannot be asked, that is said loudly, and lint goes on.
"""

import json
import subprocess
import sys

AUDIT = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner=off", "--format=json"]
ACCEPTED: dict[str, str] = {}  # advisory: why it does not reach us


def vulnerable(report: dict) -> list[str]:
    """One line for each known vulnerability that is not explained above."""
    return [
        f"{package['name']} {package['version']}: {found['id']}, mended in {' '.join(found['fix_versions']) or 'none'}"
        for package in report["dependencies"]
        for found in package.get("vulns", [])
        if found["id"] not in ACCEPTED
    ]


def unknown(report: dict) -> list[str]:
    """The packages that nothing is known of."""
    return [package["name"] for package in report["dependencies"] if "skip_reason" in package]


def main() -> int:
    done = subprocess.run(AUDIT, capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        print(f"WARNING: NO PACKAGE WAS AUDITED: {done.stderr.strip().rpartition(chr(10))[2]}")
        return 0
    missing, asked = unknown(report), len(report["dependencies"])
    if missing:
        few = ", ".join(missing[:5])
        print(f"WARNING: {len(missing)} OF {asked} PACKAGES WERE NOT AUDITED, the service does not know them: {few} …")
    found = vulnerable(report)
    print(
        "\n".join(["VULNERABLE:", *found] if found else [f"No known vulnerability in {asked - len(missing)} packages."])
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
