"""Finds a Chromium for the browser tests and an nginx for the proxy's, installs them where it can, else says how.

python -m tests.browser
"""

import os
import shutil
import subprocess
import sys

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """The path of a Chromium or Chrome on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def find_nginx() -> str | None:
    """Debian puts it where only root's PATH leads."""
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


def install(*package: str) -> None:
    """Debian's package for root; anybody else is told what to do."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", *package], check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    if not find():
        install("chromium")
    if not find_nginx():
        install("--no-install-recommends", "nginx-light")
    if not find_nginx():
        print("No nginx: the tests of the proxy will be skipped. Install it (Debian: sudo apt install nginx-light).")
    if not find():
        print("No Chromium: browser tests will be skipped. Install it (Debian: sudo apt install chromium),")
        print("or name one: CHROMIUM=/path/to/chrome make test")
        sys.exit(1 if os.environ.get("CI") else 0)
