"""A line knows its request and its job; nothing that a client sends can forge one."""

import json
import logging
import sys

import pytest

from config.celery import name_the_request, write_about
from config.logs import JOB, REQUEST, JsonLines, about, with_context
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
