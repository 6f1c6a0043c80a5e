"""Four web processes over one PostgreSQL, any of which may be killed at any moment."""

import json
import os
import signal
import urllib.error
import urllib.request

from tests.site import ROOT, Site, free_port

WEB = 4
SEED = """
import json
from django.test import Client
from annotate.models import Membership, User
from annotate.services.project import create_project
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
project = create_project(slug={slug!r}, name="Soak", overlap={overlap})
make_tasks(project=project, items=[make_item(project, f"Question {{n}}?", f"yes {{n}}", "no") for n in range({tasks})])
sessions = {{}}
for n in range({raters}):
    user, _ = User.objects.get_or_create(username=f"rater-{{n:03}}")
    Membership.objects.create(project=project, user=user, role="annotator")
    browser = Client()
    browser.force_login(user)
    sessions[user.pk] = browser.cookies["sessionid"].value
print(json.dumps({{"project": project.pk, "sessions": sessions}}))
"""


class House(Site):
    """with House(folder, DATABASE_URL=…) as house: house.ports answer, house.kill(n) ends one and starts it anew."""

    application = "config.asgi:application"

    def __enter__(self) -> "House":
        self.environment["PYTHONPATH"] = str(ROOT)
        self.manage("migrate", "-v0")
        self.ports = [free_port() for _ in range(WEB)]
        self.webs = [self.serve(port) for port in self.ports]
        self.wait_until(lambda: all(map(self.answers_at, self.ports)))
        return self

    def serve(self, port: int):
        quiet = ["--log-level", "warning", "--no-access-log"]
        return self.start("-m", "uvicorn", self.application, "--port", str(port), *quiet)

    def answers_at(self, port: int) -> bool:
        try:
            return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=30).read())
        except (urllib.error.URLError, ConnectionError):
            return False

    def kill(self, n: int) -> None:
        """kill -9, and a new process in its place."""
        os.killpg(self.webs[n].pid, signal.SIGKILL)
        self.webs[n].wait()
        self.processes.remove(self.webs[n])
        self.webs[n] = self.serve(self.ports[n])

    def seed(self, slug: str, tasks: int, overlap: int, raters: int) -> tuple[int, dict[int, str]]:
        """A project full of tasks: its id, and the session of each rater by user id."""
        out = self.run(SEED.format(slug=slug, tasks=tasks, overlap=overlap, raters=raters))
        made = json.loads(out.splitlines()[-1])
        return made["project"], {int(user): session for user, session in made["sessions"].items()}
