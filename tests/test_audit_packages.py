import json
from types import SimpleNamespace

import pytest

from tests import audit_packages
from tests.audit_packages import main

HOLE = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": [], "description": "Opens the door."}
CLEAN, BAD = {"name": "good", "version": "1.0", "vulns": []}, {"name": "bad", "version": "1.0", "vulns": [HOLE]}
SKIPPED = {"name": "odd", "skip_reason": "Dependency not found on PyPI and could not be audited: odd (1.0)"}


@pytest.fixture
def answer(monkeypatch):
    """What pip-audit says."""

    def says(*packages, out=None):
        out = json.dumps({"dependencies": packages, "fixes": []}) if out is None else out
        answered = SimpleNamespace(stdout=out, stderr="no route to host", returncode=1)
        monkeypatch.setattr(audit_packages.subprocess, "run", lambda *_, **__: answered)

    return says


def test_a_known_vulnerability_fails_and_says_what_mends_it(answer, capsys):
    answer(CLEAN, BAD, SKIPPED)
    assert main() == 1
    assert "bad 1.0: PYSEC-2026-1, mended in 2.0" in capsys.readouterr().out


def test_one_that_is_explained_does_not(answer, monkeypatch):
    monkeypatch.setitem(audit_packages.ACCEPTED, "PYSEC-2026-1", "We never call it.")
    answer(BAD)
    assert main() == 0


def test_what_was_not_audited_is_said_loudly(answer, capsys):
    answer(CLEAN, SKIPPED)
    assert main() == 0
    assert "WARNING: 1 OF 2 PACKAGES WERE NOT AUDITED" in capsys.readouterr().out


def test_so_is_that_nothing_was(answer, capsys):
    answer(out="")
    assert main() == 0
    assert "WARNING: NO PACKAGE WAS AUDITED: no route to host" in capsys.readouterr().out
