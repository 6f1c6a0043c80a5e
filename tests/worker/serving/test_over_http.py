"""The real command in a process of its own, asked over the network by clients as policy trainers have them."""

import base64
import contextlib
import json
import signal
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.migrated import on_sqlite
from tests.site import Site, free_port

PROMOTE = (
    "from worker.models import Version; from worker.services.version import promote; "
    "promote(version=Version.objects.get(number=2))"
)


class Server:
    """serve_rm on a site's database, at a port of its own, with what its clients know."""

    def __init__(self, site: Site, told: dict, *options: str) -> None:
        self.site, self.secret, self.scores = site, told["secret"], told["scores"]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = site.start("manage.py", "serve_rm", "served:promoted", "--port", str(port), *options)
        site.wait_until(self.healthy)

    def healthy(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.ask("/health"))
        return False

    def ask(self, path: str, sent: dict | None = None, **headers: str) -> dict:
        headers = {"Authorization": f"Bearer {self.secret}"} | headers
        body = None if sent is None else json.dumps(sent).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=60) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    found = Site(folder, DATABASE_URL=on_sqlite(folder / "touchstone.sqlite3"), OMP_NUM_THREADS="1")
    with contextlib.ExitStack() as stack:
        stack.callback(found.__exit__)
        yield found


@pytest.fixture(scope="module")
def told(site):
    return json.loads(site.run("from tests.worker.serving.ready import main; main()").splitlines()[-1])


@pytest.fixture(scope="module")
def running(site, told):
    """For all tests: each start of it takes as long as everything that they ask."""
    return Server(site, told, "--follow", "--wait-ms", "20")


def one(server, prompt, response):
    return server.ask("/score", {"items": [{"prompt": prompt, "response": response}]})["items"][0]["score"]


def openrlhf(server, queries, prompts):
    """What openrlhf's request wrapper sends; the token stands in the address, which makes it basic authentication."""
    basic = "Basic " + base64.b64encode(f"openrlhf:{server.secret}".encode()).decode()
    sent = {"query": queries, "prompts": prompts, "labels": [""] * len(queries)}
    return server.ask("/get_reward", sent, **{"Authorization": basic, "Content-Type": "application/json"})


def trl(server):
    """A reward function of TRL: prompts and completions in, a list of numbers out."""

    def reward(prompts, completions, **_):
        items = [{"prompt": p, "response": c} for p, c in zip(prompts, completions, strict=True)]
        return [one["score"] for one in server.ask("/score", {"items": items})["items"]]

    return reward


def test_many_clients_at_once_get_the_stored_scores(running):
    before = running.ask("/health")
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda row: one(running, *row[:2]), running.scores))
    assert found == pytest.approx([score for *_, score in running.scores], abs=1e-5)
    health = running.ask("/health")
    assert health["answered"] - before["answered"] == len(running.scores)
    assert health["batches"] - before["batches"] < len(running.scores)


def test_clients_of_trl_and_openrlhf_are_understood(running):
    prompts, responses, scores = (list(column) for column in zip(*running.scores, strict=True))
    assert trl(running)(prompts=prompts, completions=responses, answer=None) == pytest.approx(scores, abs=1e-5)
    told = openrlhf(running, [p + r + "</s>" for p, r in zip(prompts, responses, strict=True)], prompts)
    assert told["rewards"] == told["scores"] == pytest.approx(scores, abs=1e-5)
    assert all(len(values) == len(scores) for values in told["extra_logs"].values())


def test_a_refusal_names_the_item_over_the_network(running):
    with pytest.raises(urllib.error.HTTPError) as no:
        running.ask("/score", {"items": [{"prompt": "Why?", "response": "So."}, {"prompt": "Why?"}]})
    assert no.value.code == 422
    assert json.load(no.value)["item"] == 1
    with pytest.raises(urllib.error.HTTPError) as no:
        running.ask("/version", Authorization="Bearer wrong")
    assert no.value.code == 401


def test_it_ends_when_asked_to_and_answers_what_waits(site, told):
    server = Server(site, told, "--wait-ms", "3000")
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(one, server, *row[:2]) for row in server.scores[:8]]
        site.wait_until(lambda: server.ask("/health")["waiting"] == 8)
        server.process.send_signal(signal.SIGTERM)
        found = [future.result() for future in asked]
    assert found == pytest.approx([score for *_, score in server.scores[:8]], abs=1e-5)
    assert server.process.wait(30) == 0


def test_a_promotion_is_followed_and_no_request_is_dropped(running):
    def told(row):
        return running.ask("/score", {"items": [{"prompt": row[0], "response": row[1]}]})["version"]

    with ThreadPoolExecutor(4) as pool:
        versions = {told(running.scores[0])}
        running.site.run(PROMOTE)
        for _ in range(200):
            if "served:2" not in versions:
                versions |= set(pool.map(told, running.scores[:20]))
    assert versions == {"served:1", "served:2"}
    assert running.ask("/version")["number"] == 2
