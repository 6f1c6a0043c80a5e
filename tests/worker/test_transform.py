"""Transforms belong to a version: made as a new one, with references that stay, the same from every door."""

import io
import json

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from tests.worker.model import scoring_version
from worker.jobs.score_file import score_file
from worker.jobs.scored import scored
from worker.models import Job, Reference, Version
from worker.rm.types import Example
from worker.services.job import HERE, launch, run_now
from worker.services.transform import transform_version
from worker.serving.served import Served

ITEMS = [
    {"prompt": "Where?", "responses": [{"text": "Here.", "source": "sft"}, "There."]},
    {"prompt": "Why?", "responses": ["So."]},
]
URL = "/p/answers/versions/1/transform/"
EMPTY = {"scale": "", "compare": "", "of": "mean", "quantile": "", "source": "", "low": "", "high": ""}


@pytest.fixture
def version(project):
    import_items(project=project, file=jsonl(*ITEMS), format="jsonl")
    return score(scoring_version(project))


def score(version):
    job = run_now(launch(project=version.project, kind="score", params={"version": version.pk}, queue=HERE))
    assert job.state == "done", job.error
    return version


def values(version, head="preference"):
    return dict(version.scores.filter(head=head).values_list("response__text", "value"))


def test_a_new_version_shares_the_file_and_the_old_one_stays(version, alice):
    made = transform_version(version=version, transforms=[{"name": "standardise"}], actor=alice)
    assert (made.number, made.parent, made.state) == (2, version, "candidate")
    assert (made.file, made.file_sha256, made.snapshot_id) == (version.file, version.file_sha256, version.snapshot_id)
    assert made.transforms == [{"name": "standardise", "mean": 0.0, "std": 1.0}]
    assert Version.objects.get(number=1).transforms == []
    assert Job.objects.first().params == {"version": made.pk}


def test_references_are_what_the_version_had_scored_and_stay(version):
    plain = values(version)
    made = score(transform_version(version=version, transforms=[{"name": "baseline"}]))
    mean = (plain["Here."] + plain["There."]) / 2
    assert values(made) == pytest.approx({"Here.": plain["Here."] - mean, "There.": plain["There."] - mean, "So.": 0})
    late = {"prompt": "Where?", "responses": ["Late.", "Later."]}
    import_items(project=version.project, file=jsonl(late), format="jsonl")
    assert values(score(made))["Here."] == pytest.approx(plain["Here."] - mean)
    assert values(made)["Late."] == pytest.approx(values(made, "raw")["Late."] - mean)


def test_the_answer_of_a_source_is_the_reference_of_a_delta(version):
    plain = values(version)
    made = score(transform_version(version=version, transforms=[{"name": "delta", "source": "sft"}]))
    assert values(made) == pytest.approx({"Here.": 0, "There.": plain["There."] - plain["Here."]})
    assert "So." in values(made, "raw")


def test_transforming_again_begins_at_the_raw_score(version):
    half = score(transform_version(version=version, transforms=[{"name": "temperature", "value": 2}]))
    again = score(transform_version(version=half, transforms=[{"name": "temperature", "value": 4}]))
    plain = values(version)
    assert values(again) == pytest.approx({text: value / 4 for text, value in plain.items()})


def test_every_door_gives_the_same_transformed_score(version, tmp_path):
    steps = [{"name": "standardise", "mean": 0.5, "std": 2}, {"name": "log_sigmoid"}, {"name": "clip", "low": -1.5}]
    made = score(transform_version(version=version, transforms=steps))
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in _rows()))
    with path.open("rb") as file:
        by_file = {one["response"]: one["score"] for one in score_file(made, file)}
    examples = [_example(made, row) for row in _rows()]
    _, served = Served(made).score(examples)
    by_server = dict(zip(by_file, served.heads["preference"].tolist(), strict=True))
    assert by_file == pytest.approx(values(made), abs=1e-5)
    assert by_server == pytest.approx(values(made), abs=1e-5)
    raw = dict(zip(by_file, scored(made, examples).heads["raw"].tolist(), strict=True))
    assert raw == pytest.approx(values(made, "raw"), abs=1e-5)


def _rows():
    return [
        {"prompt": item["prompt"], "response": one["text"] if isinstance(one, dict) else one}
        for item in ITEMS
        for one in item["responses"]
    ]


def _example(version, row):
    prompt = version.project.items.get(turns__0__content=row["prompt"]).prompt_sha256
    return Example("", prompt, (("user", row["prompt"]),), row["response"])


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([{"name": "delta", "source": "nobody"}], "scored no response of 'nobody'"),
        ([{"name": "clip"}], "low, high or both"),
        ("clip", "list"),
        ([7], "transforms.0"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(version, steps, why):
    with pytest.raises(ValidationError, match=why):
        transform_version(version=version, transforms=steps)
    assert Version.objects.count() == 1
    assert not Reference.objects.exists()


def test_the_form_makes_the_steps_in_their_order(client_of, alice, version):
    said = {"scale": "temperature", "compare": "log_sigmoid", "of": "quantile", "quantile": "0.5", "high": "0"}
    response = client_of(alice).post(URL, EMPTY | said)
    assert response["Location"] == "/p/answers/versions/2/"
    assert Version.objects.get(number=2).transforms == [
        {"name": "temperature", "value": 1.0},
        {"name": "log_sigmoid", "of": "quantile", "quantile": 0.5, "source": ""},
        {"name": "clip", "low": None, "high": 0.0},
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "Choose at least one step"),
        ({"scale": "cube"}, "Select a valid choice"),
        ({"low": "1", "high": "0"}, "low must be less than high"),
        ({"low": "nan"}, "Enter a number"),
        ({"compare": "delta"}, "transforms.0.delta.source"),
        ({"compare": "baseline", "source": "<b>x"}, "scored no response of &#x27;&lt;b&gt;x"),
        ({"compare": "baseline", "of": "quantile", "quantile": "2"}, "less than or equal to 1"),
    ],
)
def test_a_wrong_form_comes_back(client_of, alice, version, said, why):
    response = client_of(alice).post(URL, EMPTY | said)
    assert response.status_code == 422
    assert why in response.content.decode()
    assert Version.objects.count() == 1


def test_the_page_shows_the_formulas_and_the_version_its_steps(client_of, alice, version):
    browser = client_of(alice)
    assert "ln σ(r − r_ref(x))" in browser.get(URL).content.decode()
    transform_version(version=version, transforms=[{"name": "baseline", "source": "sft"}, {"name": "clip", "low": -1}])
    page = browser.get("/p/answers/versions/2/").content.decode()
    assert "r_ref: the mean over answers of sft" in page
    assert "low = −1.0000" in page


def told(*arguments):
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def test_the_command_takes_references_the_project_has_not(version, tmp_path):
    path = tmp_path / "references.jsonl"
    path.write_text('{"prompt": "Who?", "responses": ["Me.", "You."]}\n{"prompt": "Who?", "response": "Us."}')
    said = told("transform", str(version), '[{"name": "baseline"}]', "--references", str(path))
    assert said == {"version": "answers:2", "transforms": [BASELINE], "references": 3}
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"prompt": "Who?", "responses": ["Me.", "You.", "Us."]}\n{"prompt": "Whom?", "response": "X."}')
    known, unknown = told("score", "answers:2", str(asked))["rows"]
    assert sum(known["scores"]) == pytest.approx(0, abs=1e-5)
    assert unknown["score"] is None


BASELINE = {"name": "baseline", "of": "mean", "quantile": 0.85, "source": ""}


def test_a_wrong_step_is_one_clear_line(version):
    with pytest.raises(CommandError, match=r"transforms\.0\.temperature\.value"):
        told("transform", str(version), '[{"name": "temperature", "value": -1}]')
