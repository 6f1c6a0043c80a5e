"""The export page and its download: streamed, named, refused where it should be."""

import io
import json

import pyarrow.parquet as pq
import pytest

from annotate.models import Event
from annotate.services.item import import_items

PAGE, FILE = "/p/answers/export/", "/p/answers/export/file/"
SAID = {"shown": [0, 1], "outcome": "ranking", "ranking": [[0], [1]]}


@pytest.fixture
def judged(project):
    rows = [{"prompt": f"Q{n}?", "responses": ["a", "b"], "judgements": [SAID]} for n in range(3)]
    data = "\n".join(map(json.dumps, rows)).encode()
    import_items(project=project, file=io.BytesIO(data), format="jsonl")
    return project


def lines(response) -> list[dict]:
    return [json.loads(line) for line in response.getvalue().splitlines()]


def test_a_download(client_of, researcher, judged):
    response = client_of(researcher).get(FILE, {"format": "preference", "container": "jsonl"})
    assert response.streaming
    assert response["Content-Disposition"] == 'attachment; filename="answers-preference.jsonl"'
    assert (response["X-Content-Type-Options"], response["Content-Type"]) == ("nosniff", "application/jsonl")
    rows = lines(response)
    assert [row["chosen"][0]["content"] for row in rows] == ["a"] * 3
    rest = client_of(researcher).get(FILE, {"format": "preference", "container": "jsonl", "after": rows[0]["item"]})
    assert lines(rest) == rows[1:]


def test_a_download_of_parquet(client_of, researcher, judged):
    response = client_of(researcher).get(FILE, {"format": "reward", "container": "parquet", "sources": ["imported"]})
    assert pq.read_table(io.BytesIO(response.getvalue())).num_rows == 3


def test_only_the_sources_that_are_ticked(client_of, researcher, judged):
    response = client_of(researcher).get(
        FILE, {"format": "kto", "container": "jsonl", "sources": ["human"], "rows": "judgement"}
    )
    assert lines(response) == []


def test_the_ledger_tells_who_exported_what(client_of, researcher, judged):
    client_of(researcher).get(FILE, {"format": "pair"})  # there is none: nothing leaves
    client_of(researcher).get(FILE, {"format": "reward", "container": "parquet", "sources": ["imported"], "after": 7})
    event = Event.objects.get(kind="judgements.exported")
    assert (event.actor, event.project, event.subject) == (researcher, judged, f"project:{judged.pk}")
    assert event.data == {"format": "reward", "container": "parquet", "sources": ["imported"], "after": 7}


def test_a_download_is_streamed(client_of, researcher, judged):
    response = client_of(researcher).get(FILE, {"format": "touchstone", "container": "jsonl"})
    pieces = iter(response)  # tests/test_handler.py holds that each piece leaves by itself
    assert response.streaming
    assert next(pieces)
    assert len(lines(response)) < 3


def test_the_page(client_of, researcher, project):
    assert "There is nothing to export yet" in client_of(researcher).get(PAGE).content.decode()


def test_the_page_offers_the_formats(client_of, researcher, judged):
    html = client_of(researcher).get(PAGE).content.decode()
    assert 'value="prm"' in html
    assert " checked" not in html


@pytest.mark.parametrize(
    "query",
    [{}, {"format": "xml", "container": "jsonl"}, {"format": "sft", "container": "csv"}]
    + [{"format": "sft", "container": "jsonl", name: bad} for name, bad in
       (("sources", "me"), ("after", "-1"), ("after", "9" * 30), ("after", "x"), ("rows", "all"))],
)  # fmt: skip
def test_a_wrong_choice_comes_back_to_the_page(client_of, researcher, judged, query):
    response = client_of(researcher).get(FILE, query)
    assert (response.status_code, response.streaming) == (422, False)
    assert "errorlist" in response.content.decode()


@pytest.mark.parametrize("url", [PAGE, FILE])
def test_who_may_export(client_of, client, bob, charlie, researcher, project, url):
    assert client_of(charlie).get(url).status_code == 404
    assert client_of(bob).get(url).status_code == 403
    assert client_of(researcher).post(url).status_code == 405
    assert client.get(url).status_code == 302
