"""nginx as deploy/nginx.conf.template sets it up, on this machine, with a certificate of its own."""

import contextlib
import os
import socket
import string
import subprocess
import time
from pathlib import Path

import pytest

from tests.browser import find_nginx
from tests.site import ROOT, free_port

NAME = "rewards.example.org"
MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/touchstone.conf;
}}
"""


def nginx() -> str:
    """Its path; a machine without it skips, but not where everything must be tested."""
    found = find_nginx()
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no nginx on this machine (Debian: apt install nginx-light)"
        )
    return found


def filled(folder: Path, ports: list[int], *, upload: int = 2**20, http: int = 80, https: int = 443) -> str:
    """The configuration with its names filled in as envsubst does: nginx's own variables stay."""
    values = {
        "SITE_NAME": NAME,
        "WEB_SERVERS": " ".join(f"server 127.0.0.1:{port};" for port in ports),
        "TLS_DIR": str(folder),
        "UPLOAD_MAX_BYTES": str(upload),
        "HTTP_PORT": str(http),
        "HTTPS_PORT": str(https),
    }
    return string.Template((ROOT / "deploy" / "nginx.conf.template").read_text()).safe_substitute(values)


class Proxy:
    """with Proxy(folder, ports) as proxy: https://127.0.0.1:{proxy.https} leads to the web processes on those ports."""

    def __init__(self, folder: Path, ports: list[int], upload: int = 2**20) -> None:
        self.folder, self.http, self.https = folder, free_port(), free_port()
        folder.mkdir(exist_ok=True)
        certificate = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem", "-subj", f"/CN={NAME}"]
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                *certificate,
            ],
            check=True,
            capture_output=True,
        )
        text = filled(folder, ports, upload=upload, http=self.http, https=self.https)
        (folder / "touchstone.conf").write_text(text)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        self.command = [nginx(), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]

    def __enter__(self) -> "Proxy":
        self.process = subprocess.Popen(self.command)
        return self

    def wait(self) -> None:
        """Until it listens; the bound is for a hung process, not a promise of speed."""
        for _ in range(600):
            with contextlib.suppress(ConnectionRefusedError):
                return socket.create_connection(("127.0.0.1", self.https)).close()
            time.sleep(0.1)
        raise TimeoutError((self.folder / "error.log").read_text())

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)
