"""Grown out of one machine by settings alone: the Procfile's processes on hosts of their own, behind the proxy."""

import contextlib
import json
import os
import shutil

import psycopg
import pytest

from tests.bucket import KEYS, make_bucket, own_server
from tests.postgres import own_database
from tests.proxy import Proxy, nginx
from tests.soak.team import Person, Team, own_redis
from tests.worker.conftest import jsonl, row

PASSWORD = "a long pass phrase"
UPLOAD = 2**20
PEOPLE = f"""
from annotate.models import Role, User
from annotate.services.project import add_member, create_project
alice, bob = [User.objects.create_user(name, password={PASSWORD!r}) for name in ("alice", "bob")]
project = create_project(slug="answers", name="Answers", actor=alice)
add_member(project=project, user=bob, role=Role.ANNOTATOR, actor=alice)
"""
TASKS = """
from annotate.models import Project
from annotate.services.task import make_tasks
project = Project.objects.get()
make_tasks(project=project, items=list(project.items.all()[:3]))
"""
SCORE = """
from worker.models import Version
from worker.services.job import launch
version = Version.objects.get()
print(version.pk, launch(project=version.project, kind="score", params={"version": version.pk}, queue="gpu").pk)
"""
STORY = """
import json
from annotate.models import Judgement
from worker.models import Job, Node, Version
jobs = {job.pk: [job.kind, job.state, job.attempt, job.queue, job.worker] for job in Job.objects.all()}
nodes = {node.name: [node.queues, node.memory_total > 0] for node in Node.objects.all()}
mine = Judgement.objects.filter(rater__username="bob").count()
print(json.dumps({"jobs": jobs, "nodes": nodes, "mine": mine, "scores": Version.objects.get().scores.count()}))
"""


def absent(why: str) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


@pytest.fixture
def services(tmp_path, monkeypatch):
    """PostgreSQL, Redis with a password, and a bucket: what the settings of all hosts have in common."""
    if not shutil.which("redis-server"):
        absent("no redis-server on this machine")
    with contextlib.ExitStack() as stack:
        try:
            database = stack.enter_context(own_database())
        except psycopg.OperationalError as error:
            absent(f"no PostgreSQL: {error}")
        redis, redis_url = own_redis(tmp_path)
        stack.callback(redis.wait)
        stack.callback(redis.terminate)
        keys = KEYS | {"AWS_ENDPOINT_URL_S3": stack.enter_context(own_server())}
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        yield keys | {"DATABASE_URL": database, "REDIS_URL": redis_url, "ARTIFACT_STORE": make_bucket()}


@pytest.mark.service
def test_a_team_s_site_judges_retrains_and_scores_across_hosts(tmp_path, services):
    nginx()
    team = Team(tmp_path, UPLOAD_MAX_BYTES=str(UPLOAD), **services)
    with contextlib.ExitStack() as stack:
        stack.callback(team.__exit__)
        ports = team.start_all()
        team.run(PEOPLE)
        proxy = stack.enter_context(Proxy(tmp_path / "proxy", ports, UPLOAD))
        alice, bob = Person(proxy.https), Person(proxy.https)
        team.wait_until(lambda: ready(alice), 600)

        alice.sign_in("alice", PASSWORD)
        rows = {"format": "jsonl"}, {"file": ("rows.jsonl", jsonl(*map(row, range(40))))}
        imported = alice.send("/p/answers/import/", data=rows[0], files=rows[1])
        assert alice.follow(imported) == "done"
        team.run(TASKS)
        bob.sign_in("bob", PASSWORD)
        bob.judge("answers")

        trained = json.loads(team.manage("train", "answers", "--queue", "cpu", "--json"))["job"]
        assert alice.follow(trained) == "done"
        version, scored = map(int, team.run(SCORE).split()[-2:])
        assert alice.follow(scored) == "done"
        lines = b'{"prompt": "Where?", "response": "Beside the river."}\n'
        filed = alice.send("/p/answers/score-file/", data={"version": version}, files={"file": ("a.jsonl", lines)})
        assert alice.follow(filed) == "done"

        story = json.loads(team.run(STORY).splitlines()[-1])
        check_story(story, imported, trained, scored, filed)
        check_files(tmp_path)
        for _ in ports:  # whichever web process answers
            found = alice.ask("GET", f"/p/answers/jobs/{filed}/scored/")
            assert json.loads(found.content)["score"] is not None
        queue = alice.ask("GET", "/p/answers/queue/").text
        assert all(name in queue for name in story["nodes"])
        check_door(proxy, alice)


def ready(person: Person) -> bool:
    try:
        found = person.ask("GET", "/readyz")
    except OSError:  # the proxy is not there yet
        return False
    return found.status_code == 200 and found.json()["checks"].get("workers") == "ok"


def check_story(story: dict, imported: int, trained: int, scored: int, filed: int) -> None:
    """Every job ran once, whatever two beats sent, on a worker of its queue."""
    jobs = {int(pk): job for pk, job in story["jobs"].items()}
    assert {(state, attempt) for _, state, attempt, _, _ in jobs.values()} == {("done", 1)}
    assert jobs[scored][3] == "gpu"
    assert {jobs[pk][3] for pk in (imported, trained, filed)} == {"cpu"}
    assert jobs[scored][4] != jobs[trained][4]
    assert sorted(map(str, story["nodes"].values())) == ["[['cpu'], True]", "[['cpu'], True]", "[['gpu'], True]"]
    assert (story["mine"], story["scores"] > 0) == (1, True)


def check_files(folder) -> None:
    """The model came to the other host through the store; no web process holds any file of it."""
    kept = {
        host.name: [path.name for path in host.glob("store/kept/*")] for host in folder.glob("w*-*") if host.is_dir()
    }
    assert kept["worker-cpu"] == kept["worker-gpu"] != []
    assert kept["web-0"] == kept["web-1"] == []
    assert not list(folder.glob("*/artifacts/*"))
    assert not list(folder.glob("*/store/drafts/**/*.part"))


def check_door(proxy: Proxy, alice: Person) -> None:
    """What the proxy lets through and what not."""
    for path in ("/manage.py", "/config/settings.py", "/.env", "/%2e%2e/manage.py", "/metrics"):
        assert alice.ask("GET", path).status_code in (400, 404), path
    large = {"file": ("large.jsonl", b"x" * (UPLOAD + 1))}
    assert alice.ask("POST", "/p/answers/import/", files=large).status_code == 413
    alice.browser.headers["Host"] = "elsewhere.example.org"
    with pytest.raises(OSError):  # requests' errors are
        alice.ask("GET", "/login/")
