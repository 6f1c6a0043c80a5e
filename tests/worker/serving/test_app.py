"""The application without a network: routes, tokens, sizes, a full queue, and a version that is followed."""

import asyncio
import base64
import json

import pytest
from django.utils import timezone

from tests.worker.model import scoring_version
from worker.models import ServeToken
from worker.services.serve_token import create_serve_token, revoke_serve_token
from worker.services.version import promote
from worker.serving.app import Scorer, _secret
from worker.serving.batcher import Batcher, Full
from worker.serving.protocol import Refused
from worker.serving.served import Served

ITEM = {"prompt": "Where?", "response": "Here."}


@pytest.fixture
def version(project):
    return scoring_version(project)


@pytest.fixture
def token(project, alice):
    return create_serve_token(project=project, name="ppo", actor=alice)


class Caller:
    """Asks the application what a client would."""

    def __init__(self, served, secret="", max_bytes=10_000, **limits):
        self.batcher = None
        self.served, self.secret, self.max_bytes = served, secret, max_bytes
        self.limits = {"budget": 1000, "wait": 0.0, "most": 100} | limits
        served.look()

    def __call__(self, method, path, body=b"", secret=None, headers=()):
        return asyncio.run(self.ask(method, path, body, secret, headers))

    async def ask(self, method, path, body, secret, headers):
        batcher = Batcher(lambda examples: self.served.score(examples), **self.limits)
        batcher.start()
        app, sent = Scorer(self.served, batcher, self.max_bytes), []
        app._look = _not_now  # a test's database belongs to its own thread
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        parts = [
            {"type": "http.request", "body": body[:7], "more_body": True},
            {"type": "http.request", "body": body[7:]},
        ]
        shown = f"Bearer {self.secret if secret is None else secret}".encode()
        scope = {"type": "http", "method": method, "path": path, "headers": [(b"authorization", shown), *headers]}
        await app(scope, lambda: _next(parts), lambda message: _kept(sent, message))
        await batcher.close()
        return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


async def _next(parts):
    return parts.pop(0)


async def _kept(sent, message):
    sent.append(message)


async def _not_now():
    pass


@pytest.fixture
def call(version, token):
    served = Served(version)
    served.score = lambda examples, own=served.score: own(examples)
    return Caller(served, token[1])


@pytest.mark.django_db(transaction=True)
def test_both_protocols_say_the_same(call):
    status, told, _ = call("POST", "/score", {"items": [ITEM, ITEM | {"response": "There."}]})
    assert status == 200
    assert told["version"] == "answers:1"
    query = {"query": ["Where?Here.", "Where?There.</s>"], "prompts": ["Where?"] * 2, "labels": ["", ""]}
    _, rewards, _ = call("POST", "/get_reward", query)
    assert rewards["rewards"] == pytest.approx([one["score"] for one in told["items"]], abs=1e-5)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "why"),
    [
        ("GET", "/", b"", 404, "no such address"),
        ("GET", "/score", b"", 405, "not by this method"),
        ("POST", "/health", b"", 405, "not by this method"),
        ("POST", "/score", b"no", 400, "not JSON"),
        ("POST", "/score", {"items": [ITEM, {}]}, 422, "item 1"),
        ("POST", "/score", b"x" * 10_001, 413, "10,000 bytes"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_is_said(call, method, path, body, status, why):
    found, told, _ = call(method, path, body)
    assert found == status
    assert why in told["error"]


@pytest.mark.django_db(transaction=True)
def test_a_length_that_is_too_much_is_refused_unread(call):
    status, _, headers = call("POST", "/score", b"", headers=[(b"content-length", b"99999999")])
    assert status == 413
    assert headers[b"connection"] == b"close"


@pytest.mark.django_db(transaction=True)
def test_without_a_token_of_this_project_nothing_opens_but_health(call, token, alice):
    from annotate.services.project import create_project

    other = create_serve_token(project=create_project(slug="others", name="O", actor=alice), name="x")[1]
    for secret in ("", "wrong", other, token[0].sha256):
        for method, path in (("GET", "/version"), ("POST", "/score"), ("POST", "/get_reward")):
            assert call(method, path, secret=secret)[0] == 401
        assert call("GET", "/health", secret=secret)[1]["status"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_a_revoked_token_opens_nothing_and_a_use_is_written(call, token):
    assert call("GET", "/version")[0] == 200
    call.served.look()
    used = ServeToken.objects.get().last_used_at
    assert used <= timezone.now()
    revoke_serve_token(token=token[0])
    call.served.look()
    assert call("GET", "/version")[0] == 401


@pytest.mark.django_db(transaction=True)
def test_a_full_queue_is_503_with_a_time_to_come_back(call, monkeypatch):
    async def full(self, examples):
        raise Full

    monkeypatch.setattr(Batcher, "submit", full)
    status, told, headers = call("POST", "/score", {"items": [ITEM]})
    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert "waiting" in told["error"]


@pytest.mark.django_db(transaction=True)
def test_a_model_that_fails_is_500_with_the_reason(call):
    def fail(examples):
        raise ValueError("item 0: the model's preference is not a number")

    call.served.score = fail
    status, told, _ = call("POST", "/score", {"items": [ITEM]})
    assert status == 500
    assert "not a number" in told["error"]


@pytest.mark.django_db(transaction=True)
def test_the_promoted_version_takes_over_and_one_that_cannot_score_does_not(project, version, settings):
    served = Served(version, follow=True)
    second = promote(version=scoring_version(project, 2, seed=1))
    served.look()
    assert (served.version.pk, served.problem) == (second.pk, "")
    third = scoring_version(project, 3, seed=2)
    (settings.ARTIFACT_DIR / third.file).unlink()
    promote(version=third)
    served.look()
    assert served.version.pk == second.pk
    assert "is gone" in served.about()["problem"]
    promote(version=second)
    served.look()
    assert served.problem == ""


@pytest.mark.django_db(transaction=True)
def test_who_has_no_token_hears_of_a_problem_and_of_no_path(call):
    call.served.problem = "restore /srv/artifacts/job1.safetensors"
    assert call("GET", "/health", secret="")[1]["problem"] is True
    assert "/srv" in call("GET", "/version")[1]["problem"]


@pytest.mark.django_db(transaction=True)
def test_without_follow_the_version_stays(project, version):
    served = Served(version)
    promote(version=scoring_version(project, 2, seed=1))
    served.look()
    assert served.version.pk == version.pk


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        (b"Bearer abc", "abc"),
        (b"bearer  abc ", "abc"),
        (b"Basic " + base64.b64encode(b"any:a:b"), "a:b"),
        (b"Basic \xff", ""),
        (b"Digest x", ""),
        (b"", ""),
    ],
)
def test_where_the_secret_stands(header, secret):
    assert _secret(header) == secret


def test_looking_goes_on_after_a_look_that_failed(version, monkeypatch):
    """Whoever stops looking never hears that a token was revoked."""
    served, looks = Served(version), []

    def look():
        looks.append(1)
        raise RuntimeError("the promoted version's file is not what it was")

    async def meanwhile():
        task = asyncio.create_task(Scorer(served, None, 1)._keep_looking())
        while len(looks) < 3 and not task.done():
            await asyncio.sleep(0.01)
        task.cancel()

    served.look = look
    monkeypatch.setattr("worker.serving.app.LOOK_SECONDS", 0)
    asyncio.run(meanwhile())
    assert len(looks) >= 3


def test_a_client_that_stops_in_the_middle_is_let_go(monkeypatch):
    monkeypatch.setattr("worker.serving.app.PART_SECONDS", 0.01)
    with pytest.raises(Refused, match="nothing came") as no:
        asyncio.run(Scorer(None, None, 10)._body({"headers": []}, lambda: asyncio.sleep(60)))
    assert no.value.status == 408
