"""Judgements → version → scores → explanations, by the commands and by the jobs, with the real backbone."""

import hashlib
import io
import json
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from annotate.services.item import import_items
from annotate.services.project import create_project
from tests.worker.conftest import PROMPTS, jsonl, row
from worker.jobs import evaluate
from worker.models import Attribution, Candidate, CandidateScore, Job, Pool, Score, Version
from worker.services.job import HERE, launch, run_now

ANSWERS = [
    {"prompt": "Where is the museum of town 3?", "response": "The museum of town 3 stands beside the river.", "id": 9},
    {"turns": [{"role": "user", "content": "Où ?"}], "response": "Là-bas 😀, je crois."},
]


def told(*arguments):
    """What a command says with --json."""
    out = io.StringIO()
    call_command(*map(str, arguments), "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


@pytest.fixture
def answers(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(map(json.dumps, ANSWERS)))
    return path


@pytest.fixture(scope="module")
def trained(django_db_setup, django_db_blocker, tmp_path_factory):
    """Trained once for all tests here, by the command: what it said, and the folder of its file."""
    folder = tmp_path_factory.mktemp("artifacts")
    with django_db_blocker.unblock(), override_settings(ARTIFACT_DIR=folder):
        project = create_project(slug="trained", name="Trained")
        import_items(project=project, file=jsonl(*map(row, range(PROMPTS))), format="jsonl")
        turns = [{"role": "user", "content": "Where?"}]
        pool = Pool.objects.create(project=project, name="many", sizes=[1])
        Candidate.objects.create(pool=pool, prompt_sha256="0" * 64, turns=turns, index=0, text="There.", gold=1)
        yield told("train", "trained", "--recipe", "heads", "--wait"), folder
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def version(db, trained, settings):
    settings.ARTIFACT_DIR = trained[1]
    return Version.objects.get(number=1)


def test_train_wait_makes_a_scored_version(version, trained):
    said, folder = trained
    assert said["version"] == "trained:1"
    assert said["snapshot"] == version.snapshot.sha256
    assert (said["rows"]["used"], said["rows"]["tied"]) == (PROMPTS + 4, 4)
    assert said["metrics"]["pair_accuracy"]["value"] > 0.9
    assert set(said["seconds"]) == {"embed", "fit", "total"}
    assert said["metrics"]["segments"]["wrong"]["auroc"]["value"] > 0.9
    assert hashlib.sha256((folder / version.file).read_bytes()).hexdigest() == version.file_sha256
    assert Score.objects.filter(version=version).count() == 2 * PROMPTS * len(version.heads)
    assert CandidateScore.objects.get(version=version).head == "preference"
    assert list(Job.objects.values_list("kind", "state")) == [("score", "done"), ("train", "done")]


def test_a_file_is_scored_with_the_jobs_own_numbers(version, answers):
    said = told("score", version, answers)["rows"]
    assert [{key: one[key] for key in given} for one, given in zip(said, ANSWERS, strict=True)] == ANSWERS
    run_now(launch(project=version.project, kind="score", params={"version": version.pk}, queue=HERE))
    stored = Score.objects.filter(version=version, response__text=ANSWERS[0]["response"])
    assert {s.head: s.value for s in stored} == pytest.approx({head: said[0][head] for head in version.heads}, abs=1e-5)
    assert said[0]["score"] == said[0]["preference"]


def test_lines_stream_to_standard_output_or_to_a_file(version, answers, tmp_path):
    out = io.StringIO()
    call_command("score", str(version), str(answers), stdout=out, stderr=io.StringIO())
    lines = out.getvalue().splitlines()
    assert [json.loads(line)["response"] for line in lines] == [given["response"] for given in ANSWERS]
    assert told("score", version, answers, "--out", tmp_path / "out.jsonl")["rows"] == 2
    assert (tmp_path / "out.jsonl").read_text().splitlines() == lines


def test_a_bad_line_is_named_and_leaves_no_file(version, answers, tmp_path):
    answers.write_text(answers.read_text() + '\n{"prompt": "and?"}')
    with pytest.raises(CommandError, match="line 3: response must be a string"):
        told("score", version, answers, "--out", tmp_path / "out.jsonl")
    assert sorted(path.name for path in tmp_path.glob("*.jsonl*")) == ["answers.jsonl"]


def test_a_version_is_measured_on_a_file_that_was_never_imported(version, tmp_path):
    path = tmp_path / "fresh.jsonl"
    path.write_text("\n".join(json.dumps(row(n)) for n in range(100, 110)))
    said = told("evaluate", version, path, "--format", "jsonl")
    assert said["pair_accuracy"]["n"] == 10
    assert said["pair_accuracy"]["value"] > 0.9
    assert said["baselines"]["always_first"]["value"] == 0.5
    assert (said["comparisons"], said["tied"]) == (11, 1)
    assert version.project.items.count() == PROMPTS


def test_a_file_is_measured_alike_in_batches_of_any_size(version, tmp_path, monkeypatch):
    path = tmp_path / "fresh.jsonl"
    path.write_text("\n".join(json.dumps(row(n)) for n in range(95, 112)))
    whole = told("evaluate", version, path, "--format", "jsonl")
    monkeypatch.setattr(evaluate, "batches", partial(evaluate.batches, size=5))
    parts = told("evaluate", version, path, "--format", "jsonl")
    assert parts.pop("nll") == pytest.approx(whole.pop("nll"), abs=1e-4)
    assert parts == whole


def test_prompts_of_a_file_that_were_trained_on_are_counted(version, tmp_path):
    path = tmp_path / "known.jsonl"
    path.write_text("\n".join(json.dumps(row(n)) for n in range(100, 100 + PROMPTS)))
    assert told("evaluate", version, path, "--format", "jsonl")["leakage"] == {"prompts": 0}
    path.write_text("\n".join(json.dumps(row(n)) for n in range(PROMPTS)))
    trained = version.project.items.filter(split="train").count()
    assert told("evaluate", version, path, "--format", "jsonl")["leakage"] == {"prompts": trained}


@pytest.mark.parametrize("method", ["exact", "ig"])
def test_an_explanation_adds_up(version, answers, method):
    said = told("attribute", version, answers, "--method", method)["rows"]
    for one, given in zip(said, ANSWERS, strict=True):
        assert one["sum"] + one["residual"] == pytest.approx(one["score"], abs=1e-5)
        marked = [t for t in one["tokens"] if t["part"] == "response"]
        assert all(given["response"][t["start"] : t["end"]] == t["text"] for t in marked)
    assert [one["score"] for one in said] == pytest.approx(
        [one["score"] for one in told("score", version, answers)["rows"]]
    )


def test_an_attribute_job_writes_every_head_once(version):
    responses = list(version.project.items.first().responses.values_list("pk", flat=True))
    params = {"version": version.pk, "responses": responses, "methods": ["exact", "ig"]}
    for _ in range(2):
        job = run_now(launch(project=version.project, kind="attribute", params=params, queue=HERE))
        assert job.state == "done", job.error
    rows = Attribution.objects.filter(version=version)
    assert rows.count() == 2 * (len(version.heads) + 1)
    for one in rows.filter(method="exact"):
        total = one.baseline + sum(one.features.values()) + sum(token["value"] for token in one.tokens)
        assert total + one.residual == pytest.approx(one.score, abs=1e-5)


def test_a_damaged_or_lost_file_is_refused(version, answers, settings, tmp_path):
    content = (settings.ARTIFACT_DIR / version.file).read_bytes()
    settings.ARTIFACT_DIR = tmp_path
    with pytest.raises(CommandError, match="is gone"):
        told("score", version, answers)
    (tmp_path / version.file).write_bytes(content[:-1] + b"x")
    with pytest.raises(CommandError, match="damaged"):
        told("score", version, answers)


def test_files_of_runs_that_died_are_swept_and_others_kept(version, settings):
    from worker.jobs.train import _sweep

    dead = settings.ARTIFACT_DIR / "job7-0123.safetensors"
    for name in (dead.name, "job7-0123.unfinished.part"):
        (settings.ARTIFACT_DIR / name).write_bytes(b"half")
    copy = settings.ARTIFACT_DIR / "running" / "job1.kept"  # somebody's own
    copy.mkdir(parents=True)
    _sweep()
    copy.rmdir()  # it is there still
    copy.parent.rmdir()
    assert [path.name for path in settings.ARTIFACT_DIR.iterdir()] == [version.file]


def test_an_unknown_version_or_head_is_one_clear_line(version, answers):
    for name, line in (("trained:7", "no version trained:7"), ("trained", "does not name a version")):
        with pytest.raises(CommandError, match=line):
            told("score", name, answers)
    with pytest.raises(CommandError, match="no head 'x'"):
        told("attribute", version, answers, "--head", "x")
