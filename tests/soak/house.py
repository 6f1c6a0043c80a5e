"""Some web processes and workers, any of which may be killed at any moment."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from tests.site import ROOT, Site, free_port

SEED = """
import io, json
from django.test import Client
from annotate.models import Membership, User
from annotate.services.item import import_items
from annotate.services.project import create_project
project = create_project(slug={slug!r}, name="Soak", overlap={overlap})
items = [dict(prompt=f"Question {{n}}?", responses=[f"yes {{n}}", "no"]) for n in range({tasks})]
import_items(project=project, file=io.BytesIO("\\n".join(map(json.dumps, items)).encode()), format="jsonl")
sessions = {{}}
for role, count in dict(annotator={raters}, admin={admins}).items():
    for n in range(count):
        user, _ = User.objects.get_or_create(username=f"{{role}}-{{n:03}}")
        Membership.objects.create(project=project, user=user, role=role)
        browser = Client()
        browser.force_login(user)
        sessions[user.pk] = browser.cookies["sessionid"].value
print(json.dumps({{"project": project.pk, "sessions": sessions}}))
"""


class House(Site):
    """with House(folder, DATABASE_URL=…) as house: house.ports answer, house.kill(n) ends one and starts it anew.

    With `workers`, that many Celery workers of one process each, with traps (see app.py) in folder/traps.
    """

    application = "config.asgi:application"

    def __init__(self, folder: Path, *, webs: int = 4, workers: int = 0, **environment: str) -> None:
        super().__init__(folder, **environment)
        self.ports = [free_port() for _ in range(webs)]
        self.traps = folder / "traps"
        self.environment |= {"PYTHONPATH": str(ROOT), "SOAK_TRAPS": str(self.traps)}
        self.workers: list[subprocess.Popen | None] = [None] * workers

    def __enter__(self) -> "House":
        self.traps.mkdir(exist_ok=True)
        self.webs = [self.serve(port) for port in self.ports]  # beside the migration: they start as long as it runs
        self.manage("migrate", "-v0", "--skip-checks")
        self.workers = [self.work(n) for n in range(len(self.workers))]
        self.wait_until(lambda: all(map(self.answers_at, self.ports)))
        return self

    def serve(self, port: int) -> subprocess.Popen:
        quiet = ["--log-level", "warning", "--no-access-log"]
        return self.start("-m", "uvicorn", self.application, "--port", str(port), *quiet)

    def work(self, n: int) -> subprocess.Popen:
        """The first has the timetable."""
        options = ["-Q", "cpu,gpu", "-c", "1", "-n", f"soak-{n}", "--loglevel", "WARNING", *(["-B"] if n == 0 else [])]
        return self.start("-m", "celery", "-A", "tests.soak.app", "worker", *options)

    def answers_at(self, port: int) -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=30).read())
        except (urllib.error.URLError, ConnectionError):
            return False

    def kill(self, n: int) -> None:
        """kill -9 of a web process, and a new one in its place."""
        self._kill(self.webs[n])
        self.webs[n] = self.serve(self.ports[n])

    def kill_worker(self, n: int) -> None:
        """kill -9 of a whole worker, its pool and its timetable, and a new one in its place."""
        self._kill(self.workers[n])
        self.workers[n] = self.work(n)

    def _kill(self, process: subprocess.Popen) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.processes.remove(process)

    def seed(self, slug: str, tasks: int, overlap: int, raters: int, admins: int = 0) -> tuple[int, dict[int, str]]:
        """A project full of tasks: its id, and the session of each rater by user id; those of admins come last."""
        size = {"tasks": tasks, "overlap": overlap, "raters": raters, "admins": admins}
        out = self.run(SEED.format(slug=slug, **size))
        made = json.loads(out.splitlines()[-1])
        return made["project"], {int(user): session for user, session in made["sessions"].items()}
