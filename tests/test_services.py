"""Which service does what, by settings alone: jobs over real ones are in tests/worker/test_real_worker.py."""

import json
import os
import subprocess
import sys

import pytest

from tests.site import ROOT

ASK = """
import json
from config import settings as s
layer, cache = s.CHANNEL_LAYERS["default"]["BACKEND"].split(".")[0], s.CACHES["default"]["BACKEND"].split(".")[-1]
print(json.dumps([s.BROKER_URL, layer, cache, str(s.ARTIFACT_DIR), str(s.UPLOAD_DIR)]))
"""
REDIS, RABBIT = "redis://127.0.0.1:6379/0", "amqp://127.0.0.1//"
ALONE = ["filesystem://localhost", "channels", "LocMemCache"]


def read(folder, **given: str) -> list[str]:
    named = {"DATABASE_URL", "REDIS_URL", "BROKER_URL", "ARTIFACT_STORE"}
    environment = {name: value for name, value in os.environ.items() if name not in named}
    environment |= {"VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"} | given
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ALONE),
        ({"DATABASE_URL": "postgres:///touchstone"}, ALONE),
        ({"REDIS_URL": REDIS}, [REDIS, "channels_redis", "RedisCache"]),
        ({"REDIS_URL": REDIS, "BROKER_URL": RABBIT}, [RABBIT, "channels_redis", "RedisCache"]),
        ({"BROKER_URL": RABBIT}, [RABBIT, "channels", "LocMemCache"]),
    ],
)
def test_who_carries_jobs_and_nudges(tmp_path, given, found):
    assert read(tmp_path, **given)[:3] == found


@pytest.mark.parametrize("where", ["", "/mnt/touchstone", "s3://models/team"])
def test_where_files_lie(tmp_path, where):
    own = [f"{tmp_path}/artifacts", f"{tmp_path}/uploads"]
    shared = ["/mnt/touchstone", "/mnt/touchstone/uploads"]
    assert read(tmp_path, ARTIFACT_STORE=where)[3:] == (shared if where.startswith("/") else own)
