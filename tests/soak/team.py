"""A team's site as the Procfile starts it: each process with a VAR_DIR of its own, all else shared by settings."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

import requests
import urllib3
from websockets.sync.client import connect

from tests.proxy import NAME
from tests.site import ROOT, Site, free_port

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the proxy's certificate is its own


class Team(Site):
    """team.run_procfile("web", PORT="8001") starts that line of the Procfile, as on a host of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        own = {
            "ALLOWED_HOSTS": NAME,
            "CSRF_TRUSTED_ORIGINS": f"https://{NAME}",
            "HTTPS": "True",
            "TRUSTED_PROXIES": "127.0.0.1",
        }
        super().__init__(folder, SECRET_KEY=token_hex(32), **own, **environment)
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment["PYTHONPATH"] = str(ROOT)

    def __enter__(self) -> "Team":
        return self

    def run_procfile(self, line: str, host: str, **more: str) -> subprocess.Popen:
        """`host` names the folder that this process alone has."""
        (self.folder / host).mkdir(exist_ok=True)
        environment = self.environment | {"VAR_DIR": str(self.folder / host)} | more
        log = (self.folder / f"process-{host}.log").open("wb")
        command = ["sh", "-c", f"exec {PROCFILE[line]}"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def start_all(self) -> list[int]:
        """Migrations, two web processes, a worker for each queue, and beat twice; the ports of the first."""
        assert self.run_procfile("release", "release").wait(900) == 0, self.logs()
        ports = [free_port(), free_port()]
        for n, port in enumerate(ports):
            self.run_procfile("web", f"web-{n}", PORT=str(port))
        for line in ("worker-cpu", "worker-gpu"):
            self.run_procfile(line, line)
        for n in "ab":
            self.run_procfile("beat", f"beat-{n}")
        return ports


class Person:
    """Somebody's browser on the other side of the proxy."""

    def __init__(self, port: int) -> None:
        self.port, self.browser = port, requests.Session()
        self.browser.trust_env, self.browser.verify = False, False
        self.browser.headers.update({"Host": NAME, "Referer": f"https://{NAME}/", "Origin": f"https://{NAME}"})

    def ask(self, method: str, path: str, **more: object) -> requests.Response:
        tokens = [one.value for one in self.browser.cookies if one.name.endswith("csrftoken")]
        more["headers"] = {"X-CSRFToken": tokens[0]} if tokens else {}
        url = f"https://127.0.0.1:{self.port}{path}"
        return self.browser.request(method, url, timeout=120, allow_redirects=False, **more)

    def sign_in(self, name: str, password: str) -> None:
        self.ask("GET", "/login/")
        found = self.ask("POST", "/login/", data={"username": name, "password": password})
        assert found.status_code == 302, found.text[:2000]

    def send(self, path: str, **more: object) -> int:
        """Post a form that launches a job: its id."""
        found = self.ask("POST", path, **more)
        assert found.status_code == 302, (found.status_code, found.text[:2000])
        return int(re.search(r"/jobs/(\d+)/", found.headers["Location"])[1])

    def follow(self, pk: int) -> str:
        """The last state that the job's live page was told, over a WebSocket through the proxy."""
        plain = ssl._create_unverified_context()
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.browser.cookies)
        told = []
        with connect(
            f"wss://{NAME}/ws/jobs/{pk}/?after=0",
            sock=socket.create_connection(("127.0.0.1", self.port)),
            ssl=plain,
            origin=f"https://{NAME}",
            additional_headers={"Cookie": cookies},
            proxy=None,
            open_timeout=60,
        ) as link:
            for message in link:
                told += [event for event in json.loads(message)["events"] if event["kind"] == "state"]
        return told[-1]["text"]

    def judge(self, slug: str) -> None:
        """Take a task and answer it: the first shown is better."""
        where = self.ask("GET", f"/p/{slug}/judge/").headers["Location"]
        page = self.ask("GET", where).text
        data = json.loads(re.search(r'id="judge-data"[^>]*>(.*?)</script>', page, re.S)[1])
        ranking = [[one["id"]] for one in data["responses"]]
        answer = {"outcome": "ranking", "ranking": ranking, "strength": 2, "rationale": "clearer", **data["fixed"]}
        body = {"answer": answer, "key": token_hex(16), "active_ms": 1, "lease": False}
        found = self.ask("POST", f"{where}submit/", json=body)
        assert found.status_code == 200, found.text[:2000]


def own_redis(folder: Path) -> tuple[subprocess.Popen, str]:
    """A Redis with a password on a free port, and its address."""
    port, password = free_port(), token_hex(16)
    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--requirepass",
        password,
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    found = shutil.which("redis-server")
    assert found, "redis-server"
    process = subprocess.Popen([found, *options], stdout=subprocess.DEVNULL)
    return process, f"redis://:{password}@127.0.0.1:{port}/0"
