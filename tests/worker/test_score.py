"""Scores as jobs and from files: the same numbers everywhere, nothing half done, nothing silently left out."""

import io
import json
import math
import tempfile

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotate.models import Response
from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from tests.worker.model import HEADS, scoring_version
from worker.jobs.files import answers, filled, lines
from worker.jobs.score_file import score_file
from worker.models import Candidate, CandidateScore, Pool, Reference, Score
from worker.services.columns import column, column_names
from worker.services.job import HERE, launch, run_now

ITEMS = [
    {"prompt": "Where?", "responses": [{"text": "Here.", "source": "sft"}, "There. Or not 😀."]},
    {"prompt": "Pourquoi ?", "responses": [{"text": "Parce que.", "source": "sft"}, "Na."]},
]
BASELINE = [{"name": "baseline"}]


@pytest.fixture
def version(project):
    import_items(project=project, file=jsonl(*ITEMS), format="jsonl")
    return scoring_version(project)


def score(version, **params):
    job = launch(project=version.project, kind="score", params={"version": version.pk} | params, queue=HERE)
    job = run_now(job)
    assert job.state == "done", job.error
    return job.result


def pool_of(project, name="many"):
    pool, turns = Pool.objects.create(project=project, name=name, sizes=[3]), [{"role": "user", "content": "Where?"}]
    for n in range(3):
        Candidate.objects.create(pool=pool, prompt_sha256="0" * 64, turns=turns, index=n, text=f"{n}.", gold=n)
    return pool


def stored(version, head="preference"):
    return dict(version.scores.filter(head=head).values_list("response__text", "value"))


def file_scores(version, *rows):
    return list(score_file(version, _file(*rows)))


def _file(*rows):
    file = tempfile.TemporaryFile()  # noqa: SIM115 (read by the caller, gone with it)
    file.write("\n".join(map(json.dumps, rows)).encode())
    file.seek(0)
    return file


def test_a_job_scores_responses_and_candidates_and_again_changes_nothing(version):
    pool_of(version.project)
    for _ in range(2):
        assert score(version) == {"responses": 4, "candidates": 3, "truncated": 0}
        assert Score.objects.count() == 4 * len(HEADS)
        assert list(CandidateScore.objects.values_list("head", flat=True)) == ["preference"] * 3


def test_a_job_keeps_every_head_of_each_pool_as_columns(version):
    pools = pool_of(version.project), pool_of(version.project, "more")
    for _ in range(2):
        score(version)
    for pool in pools:
        scores = CandidateScore.objects.filter(candidate__pool=pool).order_by("candidate").values_list("value")
        assert column(pool, "preference", version).tolist() == [value for (value,) in scores]
        assert column_names(pool, version) == list(HEADS)


def test_one_pool_can_be_scored_alone(version):
    pool_of(version.project)
    score(version)
    before, pool = set(CandidateScore.objects.values_list("pk", flat=True)), pool_of(version.project, "more")
    assert score(version, pool=pool.pk) == {"responses": 0, "candidates": 3, "truncated": 0}
    assert before < set(CandidateScore.objects.values_list("pk", flat=True))
    assert Score.objects.count() == 4 * len(HEADS)


def test_slices_do_not_change_a_score(version, monkeypatch):
    score(version)
    whole = stored(version)
    monkeypatch.setattr("worker.jobs.score.SLICE", 1)
    score(version)
    assert stored(version) == pytest.approx(whole, abs=1e-5)


def test_job_and_file_say_the_same_also_transformed(version):
    for transforms in ([], [{"name": "standardise", "mean": 1.0, "std": 2.0}, {"name": "clip", "high": 0.5}]):
        version.transforms = transforms
        version.save()
        score(version)
        rows = [{"prompt": item["prompt"], "response": text} for item in ITEMS for text in _texts(item)]
        said = {one["response"]: one["score"] for one in file_scores(version, *rows)}
        assert said == pytest.approx(stored(version), abs=1e-5)


def _texts(item):
    return [one["text"] if isinstance(one, dict) else one for one in item["responses"]]


def test_the_raw_score_stays_beside_the_transformed(version):
    score(version)
    plain = stored(version)
    version.transforms = [{"name": "temperature", "value": 2.0}]
    version.save()
    score(version)
    assert stored(version, "raw") == pytest.approx(plain)
    assert stored(version) == pytest.approx({text: value / 2 for text, value in plain.items()})


def test_a_prompt_without_reference_has_no_score_and_is_counted(version):
    version.transforms = BASELINE
    version.save()
    item = version.project.items.get(turns__0__content="Where?")
    Reference.objects.create(version=version, prompt_sha256=item.prompt_sha256, source="", scores=[0.25])
    told = score(version)
    assert (told["undefined"], told["why"]) == (2, "no reference answer to its prompt is known to this version")
    assert set(stored(version)) == {"Here.", "There. Or not 😀."}
    assert len(stored(version, "raw")) == 4
    assert stored(version)["Here."] == pytest.approx(stored(version, "raw")["Here."] - 0.25)
    one = file_scores(version, {"prompt": "Pourquoi ?", "response": "Na."})[0]
    assert (one["score"], one["undefined"]) == (None, told["why"])
    assert one["raw"] == pytest.approx(stored(version, "raw")["Na."], abs=1e-5)


def test_several_responses_of_a_line_are_ranked_and_ties_told(version):
    rows = {"prompt": "Where?", "responses": ["Here.", {"text": "There."}, "Here."], "id": 5}
    told = file_scores(version, rows)[0]
    alone = [file_scores(version, {"prompt": "Where?", "response": text})[0] for text in ("Here.", "There.", "Here.")]
    assert told["scores"] == pytest.approx([one["score"] for one in alone], abs=1e-5)
    assert told["id"] == 5
    here_wins = told["scores"][0] > told["scores"][1]
    assert told["ranks"] == ([1, 3, 1] if here_wins else [2, 1, 2])
    assert (told["best"], told["tied"]) == ((0, 1) if here_wins else (1, 0))
    assert set(told["heads"]) == set(HEADS)


def test_lines_of_one_prompt_that_follow_one_another_are_ranked(version):
    rows = [{"prompt": p, "response": r} for p, r in (("Where?", "A"), ("Where?", "B"), ("Where?", "A"), ("Why?", "A"))]
    told = file_scores(version, *rows, rows[0])
    first, second = told[0], told[1]
    better = first["score"] > second["score"]
    assert [one["rank"] for one in told[:3]] == ([1, 3, 1] if better else [2, 1, 2])
    assert [(one["of"], one["tied"]) for one in told[:3]] == [(3, 1), (3, 0), (3, 1)]
    assert not any("rank" in one for one in told[3:])  # alone with their prompts, where they stand


def test_duplicate_rows_and_an_empty_response_are_scored(version):
    row = {"prompt": "Where?", "response": ""}
    first, second = file_scores(version, row, row)
    assert first == second
    assert math.isfinite(first["score"])
    assert first["tokens"] == 0


def test_what_is_longer_than_the_context_is_told(version):
    told = file_scores(version, {"prompt": "why " * 600, "response": "So."}, {"prompt": "Why?", "response": "So."})
    assert [one["truncated"] for one in told] == [True, False]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('{"prompt": "Why?", "response": "\\ud800"}', "line 2: response holds"),
        ('{"prompt": "Why?", "response": NaN}', "line 2: NaN is not a JSON number"),
        ('{"prompt": "Why?"}', "line 2: response must be a string, or responses"),
        ('{"prompt": "Why?", "response": 7}', "line 2: response must be a string"),
        ('{"prompt": "Why?", "responses": []}', "line 2: responses must be a list of texts"),
        ('{"prompt": "Why?", "responses": ["a", 1]}', "line 2: responses must be a list of texts"),
        ('{"prompt": "Why?", "response": "a", "responses": ["a"]}', "line 2: .* not both"),
        ('{"response": "a"}', "line 2: turns"),
        ('{"prompt": " ", "response": "a"}', "line 2: the last turn must be the user's and not empty"),
        ("[1]", "line 2: must be a JSON object"),
    ],
)
def test_a_bad_line_is_named(row, why):
    file = io.BytesIO(b'{"prompt": "Why?", "response": "So."}\n' + row.encode())
    with pytest.raises(ValueError, match=why):
        list(lines(file))


def test_lines_of_several_answers_cannot_be_explained_one_by_one():
    with pytest.raises(ValueError, match="line 1: response must be a string, one answer a line"):
        list(answers(io.BytesIO(b'{"prompt": "Why?", "responses": ["So.", "No."]}')))


def test_batches_are_filled_by_answers_not_by_lines():
    rows = [({}, ["x"] * n) for n in (3, 1, 9, 2, 2)]
    assert [[len(own) for _, own in batch] for batch in filled(rows, 4)] == [[3, 1], [9], [2, 2]]


def test_a_long_file_is_read_in_flat_memory(version, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "worker.jobs.score_file.scored", lambda v, examples, c: seen.append(len(examples)) or _made(examples)
    )
    rows = score_file(version, _file(*({"prompt": f"Q{n}?", "response": "So."} for n in range(5000))))
    next(rows)
    assert seen == [2048]  # what was not asked for was not read
    assert sum(1 for _ in rows) == 4999


def _made(examples):
    from worker.rm.types import Scored

    zeros = np.zeros(len(examples), dtype=np.float32)
    return Scored({"preference": zeros}, zeros.astype(int), zeros > 0)


def test_a_score_that_is_no_number_fails_the_job_by_name(version, monkeypatch):
    monkeypatch.setattr("worker.jobs.scored.score", lambda *a: _nan(a[1]))
    job = launch(project=version.project, kind="score", params={"version": version.pk}, queue=HERE)
    job, first = run_now(job), Response.objects.order_by("pk").first()
    assert (job.state, job.error) == ("failed", f"{first.pk}: the model's preference is not a number")
    assert not Score.objects.exists()


def _nan(examples):
    made = _made(examples)
    made.heads["preference"][0] = np.nan
    return made


def test_a_version_whose_file_is_gone_is_one_clear_line(version, settings, tmp_path):
    (settings.ARTIFACT_DIR / version.file).unlink()
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "Why?", "response": "So."}')
    with pytest.raises(CommandError, match="The file of this version is gone"):
        call_command("score", str(version), str(path), stdout=io.StringIO(), stderr=io.StringIO())
