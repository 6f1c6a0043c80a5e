"""What goes out comes back in the same."""

import gc
import io
import json
import tracemalloc

import pytest
from django.core.management import CommandError, call_command

from annotate.formats import read
from annotate.formats.jsonl import line
from annotate.models import Judgement, Project
from annotate.services.exported import Export, export_chunks, records
from annotate.services.item import import_items
from annotate.services.judgement import shown_in, submit_judgement
from annotate.services.preview import preview_items
from annotate.services.project import create_project
from annotate.services.queue import lease_next
from annotate.services.task import make_tasks
from tests.annotate.formats.test_jsonl import FULL
from tests.annotate.making import make_item

ROWS = [
    FULL,
    {"prompt": "Alone?", "responses": ["Yes.\r\n\tQuite é 🙂"]},
    {
        "prompt": "Two?",
        "responses": ["a", "b", "c"],
        "judgements": [
            {"shown": [2, 0, 1], "outcome": "ranking", "ranking": [[0, 1], [2]]},
            {"shown": [0, 1], "outcome": "tie", "checked": [0, 1]},
            {"shown": [1, 0], "outcome": "both_bad"},
        ],
    },
]


def bring_in(project: Project, text: str, format: str = "jsonl") -> dict:
    return import_items(project=project, file=io.BytesIO(text.encode()), format=format)


def test_out_and_in_and_out_again_is_the_same(project):
    text = "\n".join(map(json.dumps, ROWS))
    bring_in(project, text)
    out = [line(record) for _, record in records(project)]
    expected = [line(record) for _, record in read(io.BytesIO(text.encode()), "jsonl")]
    assert list(map(json.loads, out)) == list(map(json.loads, expected))
    other = create_project(slug="other", name="Other")
    bring_in(other, "\n".join(out))
    assert [line(record) for _, record in records(other)] == out


def counted(told):
    return {name: count for name, count in told.items() if name != "warnings"}


def test_what_is_exported_is_known_when_it_comes_back(project):
    bring_in(project, "\n".join(map(json.dumps, ROWS)))
    out = "\n".join(line(record) for _, record in records(project))
    nothing = {"items": 0, "responses": 0, "judgements": 0, "spans": 0, "skipped": 3}
    assert counted(bring_in(project, out)) == nothing
    turned = FULL | {"judgements": [dict(reversed(verdict.items())) for verdict in FULL["judgements"]]}
    for verdict in turned["judgements"]:
        verdict["ratings"] = {k: dict(reversed(v.items())) for k, v in reversed(verdict.get("ratings", {}).items())}
    assert counted(bring_in(project, json.dumps(turned))) == nothing | {"skipped": 1}


def test_a_person_is_named_and_an_old_revision_stays_behind(project, bob):
    bring_in(project, json.dumps(ROWS[2]))
    ranking, tie, _ = Judgement.objects.order_by("pk")
    Judgement.objects.filter(pk=ranking.pk).update(superseded=True)
    Judgement.objects.filter(pk=tie.pk).update(rater=bob)
    ((_, record),) = records(project)
    assert [(verdict.outcome, verdict.rater) for verdict in record.judgements] == [("tie", "bob"), ("both_bad", "")]


def test_the_command(project, tmp_path, capsys, django_assert_max_num_queries):
    bring_in(project, "\n".join(map(json.dumps, ROWS)))
    path = tmp_path / "out.jsonl"
    with django_assert_max_num_queries(8):
        call_command("export_items", "answers", str(path), "--json")
    assert json.loads(capsys.readouterr().out) == {"rows": 3, "last": project.items.latest("pk").pk}
    assert len(path.read_text().splitlines()) == 3
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_items", "answers", str(tmp_path / "no" / "where"))
    with pytest.raises(CommandError, match="There is no project 'none'"):
        call_command("export_items", "none", str(path))


@pytest.mark.data
def test_the_real_file_comes_out_as_it_went_in(project, human_data):
    with (human_data / "qa_feedback_dev.json").open("rb") as file:
        import_items(project=project, file=file, format="qa-feedback")
        file.seek(0)
        out = [line(one) for _, one in records(project)]
        assert out == [line(one) for _, one in read(file, "qa-feedback")]
    assert bring_in(project, "\n".join(out))["judgements"] == 0


@pytest.mark.parametrize(("kind", "counted"), [("normal", 1), ("gold", 0), ("repeat", 0), ("adjudication", 0)])
def test_how_a_judgement_came_about_goes_out_and_comes_back(project, kind, counted):
    """A gold answer or a second look must not come back as what a person said first."""
    verdict = ROWS[2]["judgements"][0] | {"kind": kind, "right": True, "served": "import, gold", "probability": 0.25}
    bring_in(project, json.dumps(ROWS[2] | {"judgements": [verdict]}))
    other = create_project(slug="other", name="Other")
    bring_in(other, "\n".join(line(record) for _, record in records(project)))
    stored = other.judgements.get()
    assert (stored.kind, stored.right, stored.served, stored.probability) == (kind, True, "import, gold", 0.25)
    assert other.judgements.counted().count() == counted


def test_a_judgement_keeps_why_it_was_asked_for_and_how_likely_that_was(project, bob):
    """Else an evaluation cannot be corrected for the selection: half of all pairs are drawn here."""
    item = make_item(project, "Why?", "a", "b", "c", "d")
    make_tasks(project=project, items=[item], pairs=3, reason="sampled")
    lease = lease_next(project=project, user=bob)
    ids = lease.shown_order
    answer = {"outcome": "ranking", "ranking": [[pk] for pk in ids], "strength": 1, "schema_version": 1}
    answer["texts_sha256"] = shown_in(lease).sha256
    submit_judgement(assignment=lease, user=bob, answer=answer, idempotency_key="k")
    ((_, record),) = records(project)
    assert [(v.served, v.probability) for v in record.judgements] == [("sampled, queue", 0.5)]


def test_a_project_that_takes_in_its_own_export_gains_nothing(project, bob):
    """Else what people said here would be counted, and learned from, twice."""
    bring_in(project, json.dumps({"prompt": "Which?", "responses": ["a", "b"]}))
    lease = lease_next(project=project, user=bob)
    answer = {"outcome": "tie", "schema_version": 1, "texts_sha256": shown_in(lease).sha256}
    submit_judgement(assignment=lease, user=bob, answer=answer, idempotency_key="k", active_ms=5)
    out = "\n".join(line(record) for _, record in records(project))
    assert preview_items(project=project, file=io.BytesIO(out.encode()), format="jsonl")["new"]["judgements"] == 0
    assert bring_in(project, out)["judgements"] == 0
    assert project.judgements.get().rater == bob


def peak_of(project: Project, container: str) -> int:
    """Bytes of memory at most, while all of the project flows out."""
    tracemalloc.start()
    for _ in export_chunks(project=project, export=Export(format="reward", container=container)):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.fixture
def nobody_looks_for_cycles():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("nobody_looks_for_cycles")
@pytest.mark.parametrize("container", ["jsonl", "parquet"])
def test_a_large_export_is_never_held(project, container):
    """Twice the judgements take no more memory, also where nothing is freed but by its last reader."""
    pair = {"prompt": "Which?", "chosen": "The first of them. " * 60, "rejected": "No. " * 200}
    rows = lambda *numbers: "\n".join(json.dumps(pair | {"prompt": f"Which is {n}?"}) for n in numbers)  # noqa: E731
    bring_in(project, rows(*range(10)), "trl")
    peak_of(project, container)  # what is loaded once
    bring_in(project, rows(*range(10, 1_000)), "trl")
    few = peak_of(project, container)
    bring_in(project, rows(*range(1_000, 2_000)), "trl")
    assert peak_of(project, container) < 1.1 * few
