"""Touchstone as one more server of ../shared/bench/web: what that harness needs of a product. Runs in the harness's
own environment (aiohttp, psutil, no Django); the server itself runs in ours.

As a team would run it: PostgreSQL and Redis of its own, several web processes, DEBUG off, real accounts, sessions and
CSRF. A rater sends what the judging page sends.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from drivers.base import Driver, PeerError, Task

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv/bin/python"
PASSWORD = "bench-Passw0rd-1"
SLUG = "bench"
SEED = """
from django.contrib.auth.hashers import make_password
from annotate.models import Membership, Project, User
project, password = Project.objects.get(), make_password({password!r})
names = ["warm000", *(f"rater{{n:03}}" for n in range(200))]
users = User.objects.bulk_create(User(username=name, password=password) for name in names)
Membership.objects.bulk_create(Membership(project=project, user=user, role="annotator") for user in users)
"""
READ = """
import json
from annotate.models import Judgement
rows = Judgement.objects.current().values_list(
    "rater__username", "item__external_id", "ranking", "shown_order", "rationale"
)
found = [[user, key, "AB"[order.index(ranking[0][0])], note] for user, key, ranking, order, note in rows]
print("ROWS", json.dumps(found))
"""


class Page:
    """A judging page that was loaded."""

    def __init__(self, html):
        data = re.search(r'id="judge-data"[^>]*>(.*?)</script>', html, re.S)
        self.data, self.item = data and json.loads(data[1]), item_in(html)
        self.shell = data and re.search('data-shell="([^"]*)"', html)[1]
        self.left = data and re.search('id="left">([^<]*)<', html)[1]


def item_in(html):
    found = re.search(r"\[(item-\d+)\]", html)
    return found and found[1]


class Rater:
    """One signed-in person: the page that was loaded, what the last submit leased, and the task fetched ahead."""

    def __init__(self, http):
        self.http, self.csrf, self.page, self.lease, self.ahead, self.done = http, None, None, None, None, 0

    def fits(self, lease, ahead):
        """Can the task fetched ahead stand in the page that was loaded?"""
        same = self.page and all(lease.get(name) == ahead[name] for name in ("task", "shown_order"))
        return same and ahead["shell"] == self.page.shell and ahead["data"]["revision"] == lease["revision"]


class Touchstone(Driver):
    name = "touchstone"
    pg_port, redis_port = 55433, 56379

    # ---- the server, its database and its Redis

    def version(self):
        return "touchstone"

    def server_env(self):
        return self.env(
            VAR_DIR=f"{self.workdir}/var",
            DATABASE_URL=f"postgres://postgres@127.0.0.1:{self.pg_port}/touchstone",
            REDIS_URL=f"redis://127.0.0.1:{self.redis_port}/0",
            LOG_LEVEL="ERROR",
        )

    def pg(self, *argv):
        return self.run(list(argv), self.env(), user="postgres", cwd=tempfile.gettempdir())

    def manage(self, *argv, code=None):
        argv = ["shell", "-v0", "-c", code] if code else list(argv)
        return self.run([str(PYTHON), "manage.py", *argv], self.server_env(), cwd=ROOT)

    async def start(self):
        # No deeper than the peers' folder: the postgres user has to reach it.
        self.pgdata = f"{tempfile.mkdtemp(prefix='touchstone-bench-')}/pg"
        os.chmod(os.path.dirname(self.pgdata), 0o755)
        os.mkdir(self.pgdata, 0o700)
        shutil.chown(self.pgdata, "postgres")
        self.pg("initdb", "-D", self.pgdata, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C")
        where = f"-p {self.pg_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={tempfile.gettempdir()}"
        self.pg("pg_ctl", "-D", self.pgdata, "-w", "-l", f"{self.pgdata}/log", "-o", where, "start")
        self.pg("createdb", "-h", "127.0.0.1", "-p", str(self.pg_port), "-U", "postgres", "touchstone")
        redis = [
            "redis-server",
            "--port",
            str(self.redis_port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            self.workdir,
        ]
        self.redis = subprocess.Popen(redis, stdout=subprocess.DEVNULL, start_new_session=True)
        self.manage("migrate", "-v0")
        await self.restart()

    async def restart(self):
        workers = str(self.opts.get("workers", 2))
        serve = ["-m", "uvicorn", "config.asgi:application", "--port", str(self.port), "--workers", workers]
        self.spawn([str(PYTHON), *serve, "--log-level", "warning", "--no-access-log"], self.server_env(), cwd=ROOT)
        return await self.wait_up("/login/")

    def tree(self, procs=None):
        """The web processes, and the database and the Redis that work for them."""
        found = super().tree(procs)
        postmaster = Path(self.pgdata, "postmaster.pid").read_text().split()[0]
        for pid in (int(postmaster), self.redis.pid):
            found += [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return found

    def close(self):
        self.run(["pg_ctl", "-D", self.pgdata, "-m", "fast", "-w", "stop"], self.env(), user="postgres",
                 cwd=tempfile.gettempdir(), check=False)  # fmt: skip
        shutil.rmtree(os.path.dirname(self.pgdata), ignore_errors=True)
        if redis := getattr(self, "redis", None):
            redis.terminate()
            redis.wait()

    async def import_items(self, items, overlap):
        file = Path(self.workdir, "items.jsonl")
        rows = ({"id": i["key"], "prompt": i["prompt"], "responses": [i["a"], i["b"]]} for i in items)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.manage("create_project", SLUG)
        self.manage(code=SEED.format(password=PASSWORD))
        self.manage(code=f"from annotate.models import Project; Project.objects.update(overlap={overlap})")
        started = time.perf_counter()
        self.manage("import_items", SLUG, str(file), "--format", "jsonl")
        return time.perf_counter() - started

    # ---- one rater

    async def login(self, user):
        rater, url = Rater(self.session()), f"{self.base}/login/"
        async with rater.http.get(url) as page:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', await page.text())
        form = {"csrfmiddlewaretoken": token[1], "username": user, "password": PASSWORD}
        async with rater.http.post(url, data=form, headers={"Referer": url}, allow_redirects=False) as answer:
            if answer.status != 302:
                raise PeerError("login", answer.status, await answer.text())
        rater.csrf = next(cookie.value for cookie in rater.http.cookie_jar if cookie.key == "csrftoken")
        return rater

    async def next_task(self, rater):
        """What the page does: shows what it fetched ahead if that was leased, else loads; then fetches ahead again."""
        lease, ahead = rater.lease, rater.ahead
        rater.lease = rater.ahead = None
        if lease and ahead and rater.fits(lease, ahead):
            self.counters["shown at once"] += 1
            url, data, key, item = lease["next"], ahead["data"], lease["key"], item_in(ahead["ask"])
            rater.ahead = lease.get("ahead")  # it came with the lease
        else:
            self.counters["loaded"] += 1
            url = await self.load(rater, lease["next"] if lease else f"/p/{SLUG}/judge/")
            data, item = rater.page.data, rater.page.item
            if data is None:
                return None
            key = data["key"]
        if rater.ahead is None:
            status, text, _ = await self.get(rater, f"/p/{SLUG}/judge/ahead/")
            rater.ahead = json.loads(text) if status == 200 else None
        return Task(item, (url, data, key), bool(item))

    async def load(self, rater, where):
        status, text, url = await self.get(rater, where)
        if status != 200:
            raise PeerError("next", status, text)
        rater.page = Page(text)
        return url

    def ask(self, rater):
        self.n_requests += 1
        if rater.http.closed:  # a kill fell into the signing in after the kill before: the harness signs in again
            raise PeerError("session", 401)

    async def get(self, rater, where):
        self.ask(rater)
        async with rater.http.get(self.base + where) as answer:
            return answer.status, await answer.text(), answer.url.path

    async def submit(self, rater, task, choice, note):
        self.ask(rater)
        url, data, key = task.handle
        ids = [response["id"] for response in data["responses"]]
        best = ids if choice == "A" else ids[::-1]
        answer = {"outcome": "ranking", "ranking": [[pk] for pk in best], "strength": 2, "rationale": note}
        body = {"answer": answer | data["fixed"], "key": key, "active_ms": 1000, "lease": True}
        body["ahead"] = rater.ahead["shown_order"] if rater.ahead else []
        left = rater.page.left if rater.page else ""  # who signed in anew after a kill has none
        body["left"] = not left.startswith("over") or rater.done % 10 == 0  # as judge_swap.js asks
        headers = {"X-CSRFToken": rater.csrf, "Referer": self.base + url}
        async with rater.http.post(f"{self.base}{url}submit/", json=body, headers=headers) as stored:
            text = await stored.text()
        if stored.status != 200:
            raise PeerError("submit", stored.status, text)
        rater.lease, rater.done = json.loads(text), rater.done + 1
        if rater.page:
            rater.page.left = rater.lease.get("left", rater.page.left)

    # ---- what is stored

    async def readback(self):
        out = self.manage(code=READ)
        rows = json.loads(next(line for line in out.splitlines() if line.startswith("ROWS "))[5:])
        return [dict(zip(("user", "key", "choice", "note"), row, strict=True)) for row in rows]

    async def export(self):
        out = Path(self.workdir, "export.jsonl")
        self.manage("export_items", SLUG, str(out))
        return out.stat().st_size
