"""A project whose judgements a reward model can learn: clear answers against muddled ones."""

import io
import json

import pytest

from annotate.services.item import import_items
from tests.bucket import KEYS, make_bucket, own_server

PROMPTS = 40


def row(n: int) -> dict:
    """One item with two judgements: the clear answer, which says where, beats the one that speaks of bananas."""
    clear, wrong = f"The museum of town {n} stands beside the river.", "Bananas are purple."
    muddled = f"I like it there. {wrong}"
    start = muddled.index(wrong)
    span = {"response": 1, "start": start, "end": len(muddled), "quote": wrong, "category": "wrong"}
    judgement = {
        "shown": [0, 1] if n % 2 else [1, 0],
        "outcome": "ranking",
        "ranking": [[0], [1]],
        "strength": 2,
        "spans": [span],
        "checked": [0],
        "ratings": {"0": {"helpful": 4 + n % 2}, "1": {"helpful": 1 + n % 2}},
        "rater": "Dana",
    }
    tie = {"shown": [0, 1], "outcome": "tie", "rater": "Erin"}
    return {
        "prompt": f"Where is the museum of town {n}?",
        "responses": [clear, muddled],
        "judgements": [judgement, tie] if n % 10 == 0 else [judgement],
    }


def jsonl(*rows: dict) -> io.BytesIO:
    return io.BytesIO("\n".join(map(json.dumps, rows)).encode())


@pytest.fixture
def judged(project):
    import_items(project=project, file=jsonl(*map(row, range(PROMPTS))), format="jsonl")
    return project


@pytest.fixture(scope="session")
def s3_server():
    with own_server() as address:
        yield address


@pytest.fixture
def s3(s3_server, monkeypatch):
    """The address of an empty bucket, with what boto3 reads from the environment to reach it."""
    from worker import store

    for name, value in (KEYS | {"AWS_ENDPOINT_URL_S3": s3_server}).items():
        monkeypatch.setenv(name, value)
    store._bucket.cache_clear()
    yield make_bucket()
    store._bucket.cache_clear()
