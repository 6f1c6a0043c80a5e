"""What if the response were this: one edit for one text, the scores of all heads, and an explanation of one."""

import pytest
from django.core.exceptions import ValidationError

from annotate.models import Response
from annotate.services.item import import_items
from tests.worker.conftest import jsonl
from tests.worker.model import HEADS, scoring_version
from worker.jobs.dataset import example_of
from worker.jobs.scored import scored
from worker.models import Edit, EditAttribution, Job
from worker.services import edit as edits
from worker.services.edit import ask, job_of
from worker.services.job import cancel, run_now

ITEMS = [{"prompt": "Where?", "responses": ["Here. And there.", "There.\r\nOr here."]}]


@pytest.fixture
def version(project):
    import_items(project=project, file=jsonl(*ITEMS), format="jsonl")
    return scoring_version(project)


@pytest.fixture
def response(version):
    return Response.objects.get(index=0)


def asked(version, response, text="Here and there.", **named):
    return ask(version=version, response=response, text=text, **named)


def test_an_edit_gets_what_the_version_gives_its_text(version, response):
    edit = asked(version, response, "There.\r\nOr here.", methods=["exact"])
    job = run_now(job_of(edit, "preference", ["exact"]))
    assert (job.state, job.error, job.version) == ("done", "", version)
    edit.refresh_from_db()
    response.text = "There.\nOr here."
    expected = scored(version, [example_of(response)]).heads
    assert edit.scores == pytest.approx({head: expected[head][0] for head in HEADS}, abs=1e-5)
    told = edit.attributions.get()
    assert (told.head, told.method) == ("preference", "exact")
    total = told.baseline + sum(told.features.values()) + sum(token["value"] for token in told.tokens)
    assert total + told.residual == pytest.approx(edit.scores["preference"], abs=1e-5)


def test_the_same_question_is_asked_once_and_another_head_beside_it(version, response):
    edit = asked(version, response)
    assert asked(version, response) == edit
    run_now(Job.objects.get())
    asked(version, response)
    assert Job.objects.count() == 1
    asked(version, response, head="segment:wrong")
    assert run_now(Job.objects.first()).state == "done"
    assert edit.attributions.count() == 2


def test_what_failed_or_was_stopped_is_asked_again(version, response):
    edit = asked(version, response)
    cancel(job=Job.objects.get())
    asked(version, response)
    assert job_of(edit, "preference", ["exact"]).state == "queued"
    assert Job.objects.count() == 2


def test_line_ends_are_those_of_the_response(version, response):
    assert asked(version, response, "a\r\nb").text == "a\nb"
    assert asked(version, Response.objects.get(index=1), "a\r\nb").text == "a\r\nb"


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"text": "x" * 100_001}, "100,001 characters: shorten it to 100,000"),
        ({"text": "a\0b"}, "no letters"),
        ({"text": "a\ud800"}, "no letters"),
        ({"head": "attribute:none"}, "no head 'attribute:none'"),
        ({"methods": ["guess"]}, "no method 'guess'"),
    ],
)
def test_what_cannot_be_asked_is_said(version, response, named, why):
    with pytest.raises(ValidationError, match=why):
        asked(version, response, **named)
    assert not Edit.objects.exists()


def test_a_response_of_another_project_is_refused(version, response):
    response.item.project_id += 1
    with pytest.raises(ValidationError, match="another project"):
        asked(version, response)


def test_the_oldest_edits_go(version, response, monkeypatch):
    monkeypatch.setattr(edits, "KEPT", 2)
    first = asked(version, response, "one")
    for text in ("two", "three"):
        asked(version, response, text)
    assert sorted(version.edits.values_list("text", flat=True)) == ["three", "two"]
    job = run_now(job_of(first, "preference", ["exact"]))
    assert (job.state, job.error) == ("failed", "This text was put away for newer ones: ask for it again.")


def test_an_edit_that_goes_while_it_is_read_leaves_nothing(version, response, monkeypatch):
    edit = asked(version, response)

    def goes(*_, **__):
        Edit.objects.all().delete()
        return [], []

    monkeypatch.setattr("worker.jobs.whatif._explained", goes)
    job = run_now(Job.objects.get())
    assert (job.state, job.error) == ("failed", "This text was put away for newer ones: ask for it again.")
    assert not EditAttribution.objects.filter(edit=edit.pk).exists()
