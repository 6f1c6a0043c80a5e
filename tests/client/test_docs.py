"""The examples of docs/api.md, in their order, against a live site with a worker."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site import Site
from tests.worker.conftest import PROMPTS, row

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = re.findall(
    r"^```(bash|python)\n(.*?)^```$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE | re.DOTALL
)
ALICE = """
from annotate.models import User
from annotate.services.access_token import create_token
from annotate.services.project import create_project
alice = User.objects.create_user("alice")
create_project(slug="answers", name="Answers", actor=alice)
scopes = ["see", "judge", "review", "decide", "research", "manage"]
print(create_token(user=alice, name="docs", scopes=scopes, expires_at=None)[1])
"""


def write(path, rows):
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    with Site(folder, JOB_HEARTBEAT_SECONDS="0.2") as found:
        found.worker()
        yield found


def script(site, secret):
    """Shell lines and Python in one program, so that names live on from one example to the next."""
    yield f"import os, subprocess\nos.environ |= {{'SITE': {site.url!r}, 'TOKEN': {secret!r}}}"
    for language, text in EXAMPLES:
        yield text if language == "python" else f"subprocess.run(['bash', '-euc', {text!r}], check=True)"


def test_every_example_works(site, tmp_path):
    rows = [row(n) for n in range(PROMPTS)]
    new = [
        {"prompt": f"Which museum is number {n}?", "responses": ["This one.", "That one over there."]}
        for n in (1, 2, 3)
    ]
    write(tmp_path / "items.jsonl", rows)
    write(tmp_path / "more.jsonl", [*new, rows[0]])
    write(tmp_path / "pairs.jsonl", [{"prompt": "Where?", "chosen": "Beside the river.", "rejected": "Bananas."}])
    program = "\n".join(script(site, site.run(ALICE).strip().splitlines()[-1]))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "client"), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{site.logs()[-3000:]}"
    assert "admin ['answers']" in done.stdout
    assert "422 {'tuning.epochs':" in done.stdout
    assert "3 new items, 1 known ones" in done.stdout
    assert "ranking alice" in done.stdout
    assert "\nqueued\nrunning\ndone\n" in done.stdout
    assert "promoted" in done.stdout


def test_every_resource_has_examples_in_both():
    assert {language for language, _ in EXAMPLES} == {"bash", "python"}
    assert all("$TOKEN" in text for language, text in EXAMPLES if language == "bash")
