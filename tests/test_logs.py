"""A line knows its request and its job; nothing that a client sends can forge one."""

import io
import json
import logging
import sys

import pytest

from annotate.services.invite import create_invite
from config.celery import name_the_request, write_about
from config.logs import JOB, REQUEST, JsonLines, Lines, about, with_context
from worker.tasks import run


def line(message="said", **more):
    record = logging.makeLogRecord({"name": "a.b", "levelname": "INFO", "levelno": 20, "msg": message, **more})
    with_context(record)
    return json.loads(JsonLines().format(record))


def test_a_line_is_one_object_with_its_request_and_job():
    with about(request="r" * 8, job=7):
        said = line("two\nlines", args=(), path="/p/")
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "INFO", "logger": "a.b", "message": "two\nlines", "request_id": "rrrrrrrr", "job_id": 7, "path": "/p/",
    }  # fmt: skip
    assert "request_id" not in line()


def test_a_traceback_comes_along():
    try:
        raise ValueError("odd")
    except ValueError:
        said = line(exc_info=sys.exc_info())
    assert "ValueError: odd" in said["traceback"]


@pytest.mark.django_db
def test_each_answer_names_its_request_and_the_log_does_too(client, caplog, client_of, alice):
    with caplog.at_level(logging.INFO, "touchstone.requests"):
        response = client_of(alice).get("/keys/?secret=1")
    said = caplog.records[-1]
    assert len(response.headers["X-Request-ID"]) == 32
    assert (said.method, said.path, said.status, said.user_id) == ("GET", "/keys/", 200, alice.pk)


@pytest.mark.parametrize(
    ("given", "kept"), [("proxy-0123.a_b", True), ("short", False), ("x" * 65, False), ("a b c d e f", False)]
)
def test_a_proxys_id_is_kept_when_it_is_one(client, db, given, kept):
    response = client.get("/login/", headers={"X-Request-ID": given})
    assert (response.headers["X-Request-ID"] == given) is kept


def test_an_id_with_a_new_line_forges_none(client, db):
    response = client.get("/login/", HTTP_X_REQUEST_ID="a" * 10 + "\nlevel=ERROR")
    assert response.headers["X-Request-ID"].isalnum()


def test_the_log_does_not_hold_an_invites_secret(client, db, caplog):
    with caplog.at_level(logging.INFO, "touchstone.requests"):
        client.get("/invite/very-secret/")
    said = [one for one in caplog.records if one.name == "touchstone.requests"]
    assert [one.path for one in said] == ["/invite/<str:token>/"]
    assert "very-secret" not in said[0].getMessage()


def test_both_formats_are_those(settings):
    made = settings.LOGGING["formatters"]
    assert (made["line"]["class"], made["json"]["()"]) == ("config.logs.Lines", JsonLines)


@pytest.fixture(params=[Lines, JsonLines])
def written(request, settings):
    """What goes to standard error, whoever wrote it."""
    out = logging.StreamHandler(io.StringIO())
    out.setFormatter(request.param())
    out.addFilter(with_context)
    loggers = [logging.getLogger(name) for name in ("", "django")]
    for logger in loggers:
        logger.addHandler(out)
    yield out.stream
    for logger in loggers:
        logger.removeHandler(out)


@pytest.mark.parametrize("sent", ["/x\n2026-01-01 INFO touchstone.requests POST /login/ 302", "/x\x1b[2J", "/x\u2028y"])
def test_a_path_begins_no_line_and_moves_no_cursor(client, db, written, sent):
    client.get(sent)
    text = written.getvalue()
    assert "404" in text or "Not Found" in text
    assert not [one for one in text.splitlines() if one.startswith("2026-01-01")]
    assert "\x1b" not in text
    assert "\u2028" not in text


def test_a_traceback_stands_indented_below_its_line(written):
    try:
        raise ValueError("odd\n2026-01-01 INFO forged\x1b")
    except ValueError:
        logging.getLogger("touchstone.requests").exception("of two\nlines")
    first, *rest = written.getvalue().splitlines()
    assert "of two\\nlines" in first
    assert "\x1b" not in written.getvalue()
    assert all(one.startswith("    ") for one in rest)


def test_no_line_of_anybodys_holds_an_invites_secret(client, project, alice, written):
    """Django writes the path of what it refuses: the invite is good still."""
    token = create_invite(project=project, role="annotator", actor=alice)[1]
    weak = client.post(f"/invite/{token}/", {"username": "dan", "password1": "1", "password2": "1"})
    assert [weak.status_code, client.get(f"/invite/{token}").status_code] == [422, 301]
    assert client.get(f"/invite/{token}x/").status_code == 404
    assert "/invite/" in written.getvalue()
    assert token not in written.getvalue()


def test_a_workers_lines_carry_the_job_and_who_asked():
    headers = {}
    with about(request="asked-for-it"):
        name_the_request(headers=headers)
    run.push_request(args=(5,), **headers)
    try:
        with about():
            write_about(task=run, args=(5,))
            assert (REQUEST.get(), JOB.get()) == ("asked-for-it", 5)
    finally:
        run.pop_request()
