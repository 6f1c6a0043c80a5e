"""What does not start, and what is said about it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.checks import refusals, warnings
from tests.test_docs import VARIABLES

ROOT = Path(__file__).resolve().parents[1]
KEY = "l3tT3rs-and-d1gits-" * 3
OUTSIDE = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "rate.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://rate.example.org",
    "HTTPS": "True",
    "TRUSTED_PROXIES": "10.0.0.1,fd00::/8,unix",
    "DATABASE_URL": "postgres://touchstone:o9Xk2@db.example.org/touchstone",
    "REDIS_URL": "rediss://:o9Xk2@redis.example.org:6379/0",
    "BROKER_URL": "amqp://ours:o9Xk2@rabbit.example.org//",
}
SAFE = [
    {},
    OUTSIDE,
    {"DEBUG": "true", "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],touchstone.localhost"},
    {"DEBUG": "0", "HTTPS": "off", "SECRET_KEY": ""},
    {"DATABASE_URL": "postgres://root@127.0.0.1:5432/x", "BROKER_URL": "amqp://guest:guest@localhost//"},
    {"DATABASE_URL": "postgres:///x", "REDIS_URL": "redis://[::1]:6379/0", "BROKER_URL": "filesystem://localhost"},
    {"DATABASE_URL": "sqlite:////srv/touchstone.sqlite3"},
    OUTSIDE | {"METRICS_TOKEN": "9f86d081884c7d659a2feaa0c55ad015"},
    OUTSIDE | {"DATABASE_URL": "postgres://touchstone@db.example.org/x?sslcert=/etc/ours.pem"},
    OUTSIDE | {"DATABASE_URL": "postgres://touchstone@db.example.org/x", "PGPASSFILE": "/etc/pgpass"},
]
UNSAFE = [
    ({"DEBUG": "ture"}, "DEBUG", "DEBUG=False"),
    ({"HTTPS": "yess"}, "HTTPS", "HTTPS=True"),
    ({"SECRET_KEY": "changeme"}, "SECRET_KEY", "50 random characters"),
    ({"SECRET_KEY": "a" * 60}, "SECRET_KEY", "token_urlsafe"),
    ({"SECRET_KEY": f"django-insecure-{KEY}"}, "SECRET_KEY", "token_urlsafe"),
    ({"SECRET_KEY_FALLBACKS": f"{KEY},short"}, "SECRET_KEY_FALLBACKS", "token_urlsafe"),
    ({"METRICS_TOKEN": "changeme"}, "METRICS_TOKEN", "32 random characters"),
    ({"METRICS_TOKEN": "for-the-scraper-of-our-house-12"}, "METRICS_TOKEN", "token_urlsafe"),
    ({"METRICS_TOKEN": "abcd" * 20}, "METRICS_TOKEN", "token_urlsafe"),
    (OUTSIDE | {"SECRET_KEY": ""}, "SECRET_KEY", "the same SECRET_KEY on all"),
    (OUTSIDE | {"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS", "the site's own"),
    (OUTSIDE | {"ALLOWED_HOSTS": "localhost, *"}, "ALLOWED_HOSTS", "the site's own"),
    (OUTSIDE | {"DEBUG": "1"}, "DEBUG", "DEBUG=False"),
    (OUTSIDE | {"HTTPS": "False"}, "ALLOWED_HOSTS", "HTTPS=True"),
    ({"ALLOWED_HOSTS": "192.168.1.5"}, "ALLOWED_HOSTS", "HTTPS=True"),
    (OUTSIDE | {"CSRF_TRUSTED_ORIGINS": "rate.example.org"}, "CSRF_TRUSTED_ORIGINS", "https://rate.example.org"),
    (OUTSIDE | {"CSRF_TRUSTED_ORIGINS": "http://rate.example.org"}, "CSRF_TRUSTED_ORIGINS", "https://rate.example.org"),
    (OUTSIDE | {"CSRF_TRUSTED_ORIGINS": "https://*.example.org"}, "CSRF_TRUSTED_ORIGINS", "scheme and name"),
    (OUTSIDE | {"TRUSTED_PROXIES": "nginx"}, "TRUSTED_PROXIES", "10.0.0.1"),
    (OUTSIDE | {"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES", "the address of the proxy"),
    (OUTSIDE | {"BROKER_URL": "amqp://guest:guest@rabbit//"}, "BROKER_URL", "choose another"),
    (OUTSIDE | {"BROKER_URL": "amqp://a:o9Xk2@one//;amqp://two//"}, "BROKER_URL", "amqp://:PASSWORD@two"),
    (OUTSIDE | {"REDIS_URL": "redis://redis:6379/0"}, "REDIS_URL", "redis://:PASSWORD@redis/0"),
    (OUTSIDE | {"DATABASE_URL": "postgres://postgres:postgres@db/x"}, "DATABASE_URL", "choose another"),
    (OUTSIDE | {"DATABASE_URL": "postgres://touchstone@db/x"}, "DATABASE_URL", "postgres://touchstone:PASSWORD@db/x"),
]


@pytest.mark.parametrize("said", SAFE)
def test_safe_settings_start(said):
    assert refusals(said) == []


@pytest.mark.parametrize(("said", "name", "advice"), UNSAFE)
def test_unsafe_settings_do_not_and_one_sentence_says_which_and_what_to_write(said, name, advice):
    [sentence] = refusals(said)
    assert re.match(rf"{name}\b", sentence)
    assert advice in sentence


def test_a_password_is_not_repeated():
    said = OUTSIDE | {"SECRET_KEY": "hunter2", "BROKER_URL": "amqp://guest:guest@rabbit//"}
    assert not [sentence for sentence in refusals(said) if "hunter2" in sentence or "guest:guest" in sentence]


def test_all_that_is_wrong_is_said_at_once():
    said = {"DEBUG": "1", "SECRET_KEY": "x", "ALLOWED_HOSTS": "*"}
    assert len(refusals(said)) == 4


@pytest.mark.parametrize(("mode", "number"), [(0o100600, 0), (0o100640, 1), (0o100604, 1), (0o100400, 0)])
def test_a_secret_that_others_can_read_is_none(mode, number):
    assert len(found := refusals({}, {"var/secret_key": mode})) == number
    assert not found or "chmod 600 var/secret_key" in found[0]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({}, []),
        (OUTSIDE, []),
        (OUTSIDE | {"TRUSTED_PROXIES": ""}, ["TRUSTED_PROXIES"]),
        (OUTSIDE | {"TRUSTED_PROXIES": "", "FORWARDED_ALLOW_IPS": "*"}, []),
        (OUTSIDE | {"REDIS_URL": ""}, ["REDIS_URL"]),
        ({"WEB_CONCURRENCY": "4"}, ["REDIS_URL"]),
    ],
)
def test_what_is_hardly_meant_is_said(said, names):
    assert [sentence.split()[0] for sentence in warnings(said)] == names


def run(tmp_path, *command, **said):
    environment = os.environ | {"VAR_DIR": str(tmp_path), "LOG_LEVEL": "ERROR"} | said
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_setting_that_is_empty_is_as_if_it_was_not_there(tmp_path):
    said = "from config.settings import *; print(SESSION_MAX_DAYS, TIME_ZONE, BACKBONE, ALLOWED_HOSTS[0])"
    done = run(tmp_path, "-c", said, **dict.fromkeys(set(VARIABLES) - {"VAR_DIR"}, ""))
    assert (done.stdout, done.returncode) == ("90 UTC minilm localhost\n", 0), done.stderr


STARTS = [
    ["manage.py", "migrate", "--skip-checks"],
    ["-c", "import config.asgi"],
    ["-m", "celery", "-A", "config", "report"],
    ["-m", "config.run"],
]


@pytest.mark.parametrize("command", STARTS, ids=["command", "web", "worker", "launcher"])
def test_nothing_starts_with_unsafe_settings(tmp_path, command):
    done = run(tmp_path, *command, ALLOWED_HOSTS="*", DEBUG="True")
    assert done.returncode == 1
    assert "Touchstone does not start" in done.stderr
    assert "ALLOWED_HOSTS=*" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_world_readable_key_is_refused_and_a_new_one_is_not(tmp_path):
    assert run(tmp_path, "manage.py", "check").returncode == 0
    path = tmp_path / "secret_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text()) >= 50
    path.chmod(0o644)
    done = run(tmp_path, "manage.py", "check")
    assert done.returncode == 1
    assert f"chmod 600 {path}" in done.stderr


def test_django_finds_nothing_to_say_about_a_public_site(tmp_path):
    """HSTS, HTTPS, cookies: by Django's own list for deployment."""
    outside = {name: value for name, value in OUTSIDE.items() if name != "DATABASE_URL"}
    done = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **outside)
    assert done.returncode == 0, done.stderr


COOKIES = """
import config.asgi
from django.conf import settings
from django.test import Client
browser = Client(SERVER_NAME="rate.example.org")
moved = browser.get("/login/")
assert (moved.status_code, moved.url) == (301, "https://rate.example.org/login/")
shown = browser.get("/login/", headers={"X-Forwarded-Proto": "https"})
assert shown.headers["Strict-Transport-Security"] == "max-age=31536000"
[cookie] = shown.cookies.values()
assert cookie.key == "__Host-csrftoken"
assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]
assert settings.SESSION_COOKIE_NAME == "__Host-sessionid"
assert settings.SESSION_COOKIE_SECURE and settings.SESSION_COOKIE_PATH == "/" and not settings.SESSION_COOKIE_DOMAIN
"""


def test_over_https_the_cookies_are_this_hosts_alone(tmp_path):
    outside = {name: value for name, value in OUTSIDE.items() if not name.endswith("_URL")}
    done = run(tmp_path, "-c", COOKIES, **outside)
    assert done.returncode == 0, done.stderr


def test_over_https_so_is_the_cookie_of_a_known_browser(client, bob, settings):
    settings.HTTPS = True
    cookies = client.post("/login/", {"username": "bob", "password": "bob-pass-phrase"}).cookies
    [cookie] = [cookie for name, cookie in cookies.items() if "known" in name]
    assert cookie.key.startswith("__Host-known-")
    assert cookie["secure"]


def test_a_new_key_takes_over_without_signing_anybody_out(client_of, bob, settings):
    browser, before = client_of(bob), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = KEY, [before]
    assert browser.get("/account/").status_code == 200
    stays, settings.SECRET_KEY_FALLBACKS = client_of(bob), []
    assert (stays.get("/account/").status_code, client_of(bob).get("/account/").status_code) == (200, 200)
    settings.SECRET_KEY = KEY[::-1]
    assert stays.get("/account/").status_code == 302


def test_debug_never_changes_who_may_do_what(client_of, client, project, bob, charlie, settings):
    settings.DEBUG = True
    path = "/p/answers/settings/"
    assert client.get(path).status_code == 302
    assert client_of(charlie).get(path).status_code == 404
    assert client_of(bob).get(path).status_code == 403
    assert client.get("/admin/annotate/user/").status_code == 302
    everything = [path for room in ("annotate", "worker", "inspector") for path in ROOT.glob(f"{room}/**/*.py")]
    assert not [path for path in everything if re.search(r"\bDEBUG\b", path.read_text())]
