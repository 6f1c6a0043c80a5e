"""Nothing leaves the machine: no telemetry, no page that asks another origin, no way out but those that are named."""

import os
import re
import subprocess
import sys

from django.conf import settings

from tests.test_architecture import EVERY, ROOT, SCRIPTS, TEMPLATES, found, imports, place, sources

# What opens connections, or runs what does. Names of errors alone, and of parts that never connect, are in QUIET.
NETWORK = {
    *("aiohttp", "asyncore", "boto3", "botocore", "datasets", "evaluate", "fsspec", "ftplib", "gradio", "grpc", "http"),
    *("httpcore", "httpx", "huggingface_hub", "imaplib", "kombu", "mlflow", "nntplib", "paramiko", "poplib", "pycurl"),
    *("redis", "requests", "s3fs", "sentry_sdk", "smtplib", "socket", "socketserver", "ssl", "storages", "subprocess"),
    *(
        "telnetlib",
        "trackio",
        "urllib",
        "urllib3",
        "uvicorn",
        "wandb",
        "webbrowser",
        "websocket",
        "websockets",
        "xmlrpc",
    ),
}
QUIET = ("urllib.parse", "http.HTTPStatus", "kombu.exceptions", "redis.exceptions")
ALLOWED = {  # and why
    "config/health.py": "asks the broker that is set whether it is there",
    "config/run.py": "starts the site on this machine and waits for it",
    "worker/bucket.py": "files of the site in the S3-compatible store that is set",
    "worker/machine.py": "asks this machine for its accelerator",
    "worker/management/commands/serve_rm.py": "listens",
    "worker/outgoing.py": "webhooks, guarded",
    "worker/rm/facts.py": "reads a model's card from its folder",
    "worker/rm/source.py": "a backbone that is named by a hub id",
    "worker/rm/spread.py": "starts processes of a job on this machine",
    "worker/services/node.py": "the name of this machine",
}
TELEMETRY = """
import config
from huggingface_hub import constants
from huggingface_hub.utils import _telemetry
_telemetry._TELEMETRY_QUEUE.put = None  # fails when it is called
_telemetry.send_telemetry("touchstone")
print(constants.HF_HUB_DISABLE_TELEMETRY)
"""


def leads_out(path):
    return sorted(name for name in imports(path) if name.split(".")[0] in NETWORK and not name.startswith(QUIET))


def test_only_named_files_can_reach_out():
    assert {place(path): leads_out(path) for path in EVERY if leads_out(path) and place(path) not in ALLOWED} == {}


def test_each_file_that_may_reach_out_has_to():
    assert [one for one in ALLOWED if not leads_out(ROOT / one)] == []


def test_nothing_is_imported_by_a_name_that_is_made_up():
    """Else the rule above could be walked around; jobs are the one exception, from a fixed list."""
    dynamic = found(r"import_module\(.*?\)|__import__\(.*?\)|import_string\(.*?\)", EVERY)
    assert dynamic == ["worker/services/job.py: import_module(JOBS[job.kind])"]


def test_the_libraries_of_models_tell_nobody():
    plain = {
        name: value for name, value in os.environ.items() if name not in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    }
    plain["HF_HUB_OFFLINE"] = "0"  # which alone would keep it silent
    done = subprocess.run(
        [sys.executable, "-c", TELEMETRY], cwd=ROOT, env=plain, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def test_no_page_asks_another_origin():
    """Links may lead away; what is loaded, sent or imported by itself may not."""
    tags, places = "script|link|img|iframe|form|source|video|audio|object|embed", "src|href|action|data"
    loaded = rf"<(?:{tags})\b[^>]*(?:{places})=[\"'](?:https?:)?//"
    assert not found(loaded, TEMPLATES)
    assert not found(r"hx-(?:get|post|put|delete|patch)=[\"'](?:https?:)?//", TEMPLATES)
    assert not found(r"(?:fetch|import|EventSource|WebSocket|sendBeacon)\s*\(?\s*[\"'`](?:https?|wss?):", SCRIPTS)
    assert not found(r"@import|url\(\s*[\"']?(?:https?:)?//", sources("static/css/**/*.css"))


def test_the_policy_names_no_other_origin():
    rules = dict(rule.strip().split(" ", 1) for rule in settings.CONTENT_SECURITY_POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    allowed = {"'self'", "'none'", "'unsafe-inline'", "data:", "blob:"}
    assert {word for words in rules.values() for word in words.split()} <= allowed
    assert not re.search(r"data:|blob:|unsafe", rules["script-src"] + rules["connect-src"] + rules["form-action"])
