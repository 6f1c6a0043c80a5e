"""Rollouts from files: the columns as they stand there, or the line that is wrong."""

import io
import json
import math

import pytest
from django.core.management import CommandError, call_command

from worker.models import PolicyRun
from worker.services.policy_run import import_run, values_of

CSV = "step,kl,reward,gold,length,prompt\n0,0,1,1,10,a\n0,0,2,1.5,12,b\n5,1.5,3,2,20,a\n"


def imported(project, text, name="ppo"):
    return import_run(project=project, name=name, file=io.BytesIO(text.encode()))


def test_a_run_keeps_its_columns(project):
    found = {name: values.tolist() for name, values in values_of(imported(project, CSV)).items()}
    assert found["prompt"] == [0, 1, 0]
    assert (found["step"], found["kl"], found["reward"]) == ([0, 0, 5], [0, 0, 1.5], [1, 2, 3])
    assert (found["gold"], found["length"]) == ([1, 1.5, 2], [10, 12, 20])
    assert project.events.filter(kind="policy_run.imported").exists()


def test_json_lines_without_length_and_prompt(project):
    rows = [{"step": s, "KL": s, "reward": 1, "gold": 0} for s in (0, 0, 1)]
    found = values_of(imported(project, "\n".join(map(json.dumps, rows))))
    assert found["prompt"].tolist() == [0, 1, 0]
    assert all(map(math.isnan, found["length"]))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (CSV.replace("5,1.5", "5,-1"), "line 4: a KL below 0"),
        (CSV.replace("5,1.5", "5,x"), "line 4 has no number kl"),
        (CSV.replace("12,b", "many,b"), "line 3 has no number length"),
        (CSV.replace("5,1.5", "0,1.5"), "two steps"),
        ("step,kl,reward\n0,0,1\n", "line 2 has no number gold"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_written(project, text, why):
    with pytest.raises(ValueError, match=why):
        imported(project, text)
    assert not PolicyRun.objects.exists()


def test_too_many_lines_are_refused(project, monkeypatch):
    monkeypatch.setattr("worker.services.policy_run.MOST_ROWS", 2)
    with pytest.raises(ValueError, match="line 4: a run holds at most 2 lines"):
        imported(project, CSV)


def test_a_run_comes_by_command_and_its_name_once(project, tmp_path):
    (tmp_path / "run.csv").write_text(CSV)
    out = io.StringIO()
    call_command("import_run", project.slug, str(tmp_path / "run.csv"), name="ppo", json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"run": PolicyRun.objects.get().pk, "rollouts": 3}
    with pytest.raises(CommandError, match="has a run 'ppo' already"):
        call_command("import_run", project.slug, str(tmp_path / "run.csv"), name="ppo")
