"""The client against a server that breaks in every way a server or the way to it can."""

import ast
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from touchstone_client import ApiError, Touchstone
from touchstone_client.wire import Wire

HOME = Path(__file__).resolve().parents[2] / "client" / "touchstone_client"


class Handler(BaseHTTPRequestHandler):
    """Says what the script has next, and notes what was asked."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, headers, said = self.server.script.pop(0)
        if status == "hang up":
            self.close_connection = True
            return
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server():
    """server.script is what it will say: (status or "hang up", headers, body); server.asked what it heard."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        found.script, found.asked = [], []
        found.url = f"http://127.0.0.1:{found.server_address[1]}"
        threading.Thread(target=found.serve_forever, args=[0.01], daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def wire(server, slept):
    return Wire(server.url, "secret", 5.0, 4, slept.append)


LOST = ("hang up", {}, b"")


def test_a_lost_connection_is_tried_again_with_the_same_key(server, wire):
    server.script = [LOST, (200, {"Content-Length": "50"}, b'{"cut'), (200, {}, {"id": 7})]
    assert wire.post("/x", {"a": 1}) == {"id": 7}
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in server.asked}
    assert len(keys) == 1
    assert [body for *_, body in server.asked] == [b'{"a": 1}'] * 3


def test_two_writes_have_two_keys_and_reads_have_none(server, wire):
    server.script = [(200, {}, {})] * 3
    wire.post("/x"), wire.post("/x"), wire.get("/x")
    keys = [headers.get("Idempotency-Key") for _, _, headers, _ in server.asked]
    assert len(set(keys)) == 3
    assert keys[2] is None


def test_too_many_requests_waits_as_long_as_the_server_asks(server, wire, slept):
    server.script = [(429, {"Retry-After": "7"}, {"detail": "Slowly."}), (503, {}, b"down"), (200, {}, [])]
    assert wire.get("/x") == []
    assert slept[0] == 7
    assert 0 < slept[1] < 7


def test_it_gives_up_and_says_why(server, wire):
    server.script = [LOST] * 4
    with pytest.raises(ApiError, match="No answer") as caught:
        wire.get("/x")
    assert caught.value.status == 0
    assert len(server.asked) == 4


def test_a_refusal_names_the_fields_and_is_not_tried_again(server, wire):
    wrong = [{"field": "tuning.epochs", "message": "At least 1."}, {"line": 17, "message": "No prompt."}]
    server.script = [(422, {}, {"detail": "Wrong.", "errors": wrong})]
    with pytest.raises(ApiError, match=r"tuning\.epochs: At least 1\.; line 17") as caught:
        wire.post("/x", {})
    assert (caught.value.status, caught.value.detail) == (422, "Wrong.")
    assert caught.value.errors == {"tuning.epochs": ["At least 1."], "line 17": ["No prompt."]}


def test_a_proxys_page_is_an_error_too(server, wire):
    server.script = [(413, {}, b"<h1>Too large</h1>")]
    with pytest.raises(ApiError) as caught:
        wire.post("/x", {})
    assert caught.value.status == 413


def test_the_token_follows_no_redirect(server, wire):
    server.script = [(302, {"Location": "http://evil.example/"}, b"")]
    with pytest.raises(ApiError) as caught:
        wire.get("/x")
    assert caught.value.status == 302
    assert len(server.asked) == 1


def test_lists_come_page_by_page(server):
    server.script = [(200, {}, {"items": [{"slug": "a"}], "next": "c1"}), (200, {}, {"items": [], "next": None})]
    listed = Touchstone(server.url, "secret").projects()
    assert next(listed) == {"slug": "a"}
    assert len(server.asked) == 1  # nothing before it is read
    assert list(listed) == []
    assert server.asked[1][1] == "/api/v1/projects?cursor=c1"


def test_lines_come_as_they_are_and_a_stream_that_breaks_off_is_no_end(server, wire):
    server.script = [(200, {}, b'{"n": 1}\n{"n": 2}\n'), (200, {"Content-Length": "99"}, b'{"n": 1}\n{"n')]
    assert [row["n"] for row in wire.lines("/x")] == [1, 2]
    rows = wire.lines("/x")
    assert next(rows) == {"n": 1}
    with pytest.raises(ApiError, match="broke off"):
        list(rows)


def test_a_job_is_watched_event_by_event_and_none_comes_twice(server):
    first, second = ({"number": n, "kind": "log", "data": {}, "created_at": ""} for n in (1, 2))
    server.script = [
        (200, {}, {"events": [first], "last": 1, "ended": False}),
        LOST,
        (200, {}, {"events": [second], "last": 2, "ended": True}),
    ]
    project = Touchstone(server.url, "secret").project("answers")
    project.wire.sleep = lambda _: None
    assert list(project.watch(5)) == [first, second]
    assert [path.split("?")[1].split("&")[0] for _, path, *_ in server.asked] == ["after=0", "after=1", "after=1"]


def test_it_needs_the_standard_library_alone():
    for path in HOME.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.split(".")[0] in {*sys.stdlib_module_names, "touchstone_client"}, f"{path.name}: {name}"
