"""Judgements out by the API: rows, and the file."""

import json

import pytest

from annotate.models import Event, Judgement
from annotate.services.access_token import create_machine_token
from annotate.services.exported import Export, export_chunks
from annotate.services.machine import machine_next
from annotate.services.task import make_tasks
from tests.annotate.api.test_auth import told
from tests.annotate.api.test_tasks import WHERE as TASKS
from tests.annotate.api.test_tasks import lease, tie
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db
WHERE = "/projects/answers/judgements"


BAD = ({"format": "csv"}, {"container": "zip"}, {"sources": "x"}, {"after": -1}, {"rows": "x"})


def mark(response):
    return {
        "response": response["id"],
        "start": 0,
        "end": 1,
        "quote": response["text"][0],
        "category": "wrong",
        "severity": 2,
    }


@pytest.fixture
def judged(api, project, bob):
    """Bob has judged so many tasks, with a mark in each."""

    def made(count, start=0):
        make_tasks(project=project, items=[make_item(project, f"Q{start + n}?", "long one", "b") for n in range(count)])
        his = api(bob, "judge")
        while task := lease(his):
            sent = his.post(f"{TASKS}/{task['assignment']}/submit", tie(task, spans=[mark(task["responses"][0])]))
            assert sent.status_code == 200, sent.content

    return made


def test_judgements_come_out_whole_and_page_by_page(api, project, alice, judged):
    judged(3)
    mine = api(alice, "research")
    first = mine.get(WHERE, limit=2).json()
    judged(1, start=3)
    rest = mine.get(WHERE, limit=2, cursor=first["next"]).json()
    rows = first["items"] + rest["items"]
    assert [row["id"] for row in rows] == list(Judgement.objects.order_by("pk").values_list("pk", flat=True))
    row, stored = rows[0], Judgement.objects.order_by("pk")[0]
    assert (row["rater"], row["outcome"], row["item"]) == ("bob", "tie", stored.item_id)
    assert sorted(row["shown_order"]) == sorted(row["ranking"][0])


def test_source_and_item_choose_and_other_paths_are_none(api, project, alice, judged):
    judged(2)
    mine, item = api(alice, "research"), Judgement.objects.first().item_id
    assert len(mine.get(WHERE, item=item).json()["items"]) == 1
    assert [len(mine.get(WHERE, source=one).json()["items"]) for one in ("human", "machine")] == [2, 0]
    for bad in ({"source": "x"}, {"item": "x"}, {"item": 2**63}, {"item__project__slug": "other"}, {"rater": "bob"}):
        assert told(mine.get(WHERE, **bad))[0] == 422


def test_replaced_and_withdrawn_ones_are_left_out(api, project, alice, judged):
    judged(2)
    Judgement.objects.filter(pk=Judgement.objects.first().pk).update(superseded=True)
    assert len(api(alice).get(WHERE).json()["items"]) == 1


def test_more_judgements_cost_no_more_queries(api, project, alice, judged, django_assert_num_queries):
    mine = api(alice)
    mine.get(WHERE)
    for n in (1, 4):
        judged(n, start=10 * n)
        with django_assert_num_queries(4):  # token, project, judgements with their raters, spans
            mine.get(WHERE)


@pytest.mark.parametrize("format", ["touchstone", "preference", "reward"])
def test_the_file_is_that_of_the_page(api, project, alice, judged, client_of, format):
    judged(2)
    sent = api(alice).get(f"{WHERE}/export", format=format)
    page = client_of(alice).get("/p/answers/export/file/", {"format": format, "container": "jsonl"})
    body = b"".join(sent.streaming_content)
    assert (sent.status_code, sent.headers["Content-Type"]) == (200, "application/jsonl")
    assert body == b"".join(page.streaming_content)
    assert body == b"".join(export_chunks(project=project, export=Export(format=format)))


def test_the_ledger_tells_who_exported(api, project, alice):
    api(alice).get(f"{WHERE}/export", format="kto")
    event = Event.objects.get(kind="judgements.exported")
    assert (event.actor, event.project, event.data["format"]) == (alice, project, "kto")


def test_an_export_goes_on_after_what_arrived(api, project, alice, judged):
    judged(3)
    mine = api(alice)
    rows = [json.loads(row) for row in b"".join(mine.get(f"{WHERE}/export").streaming_content).splitlines()]
    rest = mine.get(f"{WHERE}/export", after=rows[0]["cursor"])
    assert [json.loads(row) for row in b"".join(rest.streaming_content).splitlines()] == rows[1:]


def test_machines_come_only_when_they_are_named(api, project, alice, judged):
    judged(1)
    user = create_machine_token(project=project, name="model")[0].user
    assert machine_next(project=project, user=user)
    Judgement.objects.update(source="machine")
    rows = [
        b"".join(api(alice).get(f"{WHERE}/export", format="kto", **more).streaming_content)
        for more in ({}, {"sources": "machine"})
    ]
    assert rows[0] == b""


@pytest.mark.parametrize(
    "bad", [{"format": "csv"}, {"container": "zip"}, {"sources": "x"}, {"after": -1}, {"rows": "x"}]
)
def test_what_cannot_be_exported_is_told_at_its_field(api, project, alice, bad):
    refused = api(alice).get(f"{WHERE}/export", **bad)
    assert told(refused)[0] == 422
    assert refused.json()["errors"][0]["field"].startswith(next(iter(bad)))
