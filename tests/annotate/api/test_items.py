"""Items in and out by the API."""

import gzip
import json
import tracemalloc

import pytest

from annotate.models import Event, Item, Judgement
from annotate.services.item import import_items
from annotate.services.task import make_tasks
from tests.annotate.api.test_auth import told
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db
WHERE = "/projects/answers/items"
LINES = "application/x-ndjson"


def line(number, **more):
    said = {"turns": [{"role": "user", "content": f"Question {number}?"}], "metadata": {"from": "here"}}
    responses = [{"text": f"long {number}", "source": "model-a"}, {"text": "b", "source": "model-b"}]
    return json.dumps(said | {"id": f"q{number}", "responses": responses} | more)


def lines(*numbers):
    return "\n".join(map(line, numbers)).encode()


# ---- In


def test_json_lines_come_in_and_come_in_once(api, project, alice):
    mine = api(alice)
    first = mine.post(WHERE, lines(1, 2), content_type=LINES)
    assert first.status_code == 200, first.content
    assert first.json() == {
        "items": 2, "responses": 4, "judgements": 0, "spans": 0, "skipped": 0, "warnings": first.json()["warnings"],
    }  # fmt: skip
    again = mine.post(WHERE, lines(1, 2, 3), content_type=LINES).json()
    assert (again["items"], again["skipped"], project.tasks.count()) == (1, 2, 3)
    assert Event.objects.filter(kind="items.imported", actor=alice).count() == 2


@pytest.mark.parametrize("type", ["application/gzip", "application/octet-stream"])
def test_the_bytes_tell_what_it_is(api, project, alice, type):
    made = api(alice).post(f"{WHERE}?format=jsonl", gzip.compress(lines(1)), content_type=type)
    assert made.json()["items"] == 1


def test_other_formats_by_their_names(api, project, alice):
    row = {"prompt": "Why?", "chosen": "because", "rejected": "no"}
    made = api(alice).post(f"{WHERE}?format=trl", json.dumps(row), content_type=LINES).json()
    assert (made["items"], made["judgements"], Judgement.objects.count()) == (1, 1, 1)


def test_a_dry_run_says_what_would_come_and_writes_nothing(api, project, alice):
    found = api(alice).post(f"{WHERE}/check", lines(1, 2), content_type=LINES).json()
    assert (found["format"], found["items"], found["new"]) == ("jsonl", 2, {"items": 2, "judgements": 0})
    assert not Item.objects.exists()


@pytest.mark.parametrize("act", ["", "/check"])
def test_an_error_names_its_line_and_nothing_is_half_written(api, project, alice, act):
    body = b"\n".join([lines(*range(600)), b'{"turns": 3}', lines(601)])
    response = api(alice).post(WHERE + act, body, content_type=LINES)
    assert told(response)[0] == 422
    [error] = response.json()["errors"]
    assert error["line"] == 601
    assert error["message"]
    assert (Item.objects.count(), Event.objects.filter(kind="items.imported").count()) == (0, 0)


@pytest.mark.parametrize("body", [b"\n\n", b"\x00\x01\x02", b"{", b"[]", b"\xff\xfe", b"null", b'{"a": NaN}'])
def test_what_is_no_file_of_items_is_told(api, project, alice, body):
    response = api(alice).post(WHERE, body, content_type=LINES)
    assert told(response)[0] == 422
    assert response.json()["errors"][0]["message"]


def test_an_unknown_format_is_told_at_its_field(api, project, alice):
    response = api(alice).post(f"{WHERE}?format=../../etc/passwd", lines(1), content_type=LINES)
    assert told(response)[0] == 422
    assert response.json()["errors"][0]["field"] == "format"


@pytest.mark.parametrize("type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html"])
def test_a_form_is_415_and_what_may_be_sent_is_named(api, project, alice, type):
    status, said = told(api(alice).post(WHERE, lines(1), content_type=type))
    assert (status, LINES in said) == (415, True)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_more_than_the_largest_upload_is_413(api, project, alice, settings, headers):
    settings.UPLOAD_MAX_BYTES = 100
    assert told(api(alice).post(WHERE, lines(1), content_type=LINES, headers=headers))[0] == 413
    assert not Item.objects.exists()


class Flowing:
    """A body of many lines that is nowhere as a whole."""

    def __init__(self, count):
        self.rows, self.rest, self.given = (line(n % 50).encode() + b"\n" for n in range(count)), b"", 0

    def readline(self, size=-1):
        raise NotImplementedError

    def read(self, size=-1):
        while len(self.rest) < size and (row := next(self.rows, b"")):
            self.rest += row
        given, self.rest = self.rest[:size], self.rest[size:]
        self.given += len(given)
        return given


def peak_of(mine, rows):
    """Bytes of memory at most, while so many rows flow in."""
    flow, size = Flowing(rows), sum(len(line(n % 50)) + 1 for n in range(rows))
    sent = {"wsgi.input": flow, "CONTENT_LENGTH": str(size), "headers": {"Idempotency-Key": str(rows)}}
    tracemalloc.start()
    response = mine.ask("post", f"{WHERE}/check?format=jsonl", content_type=LINES, **sent)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (response.status_code, response.json()["items"], flow.given) == (200, rows, size)
    return peak


def test_a_large_body_is_never_held(api, project, alice, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 2**16
    mine = api(alice)
    peak_of(mine, 100)  # what is loaded once
    assert peak_of(mine, 6_000) < 1.3 * peak_of(mine, 1_500)


# ---- Out


def test_items_come_out_page_by_page_in_their_order(api, project, alice):
    for n in range(3):
        make_item(project, f"Q{n}?", "a", "b")
    mine = api(alice)
    first = mine.get(WHERE, limit=2).json()
    make_item(project, "Q3?", "a", "b")
    rest = mine.get(WHERE, limit=2, cursor=first["next"]).json()
    shown = [one["turns"][0]["content"] for one in first["items"] + rest["items"]]
    assert (shown, rest["next"]) == (["Q0?", "Q1?", "Q2?", "Q3?"], None)
    assert mine.get(f"{WHERE}/{first['items'][0]['id']}").json() == first["items"][0]


def test_words_and_split_choose(api, project, alice):
    make_item(project, "Where is Rome?", "a", "b")
    make_item(project, "Where is Paris?", "a", "b")
    mine = api(alice)
    assert len(mine.get(WHERE, q="rome").json()["items"]) == 1
    assert mine.get(WHERE, q="\0").status_code == 422
    Item.objects.update(split="train")
    assert [len(mine.get(WHERE, split=split).json()["items"]) for split in ("train", "test")] == [2, 0]
    assert mine.get(WHERE, split="gold").status_code == 422


def test_who_reviews_is_blind_to_who_wrote_a_response(api, project, alice, charlie):
    from annotate.services.project import add_member

    add_member(project=project, user=charlie, role="reviewer", actor=alice)
    api(alice).post(WHERE, lines(1), content_type=LINES)
    hers, narrow, his = (one.get(WHERE) for one in (api(alice), api(alice, "review"), api(charlie)))
    assert hers.json()["items"][0]["responses"][0]["source"] == "model-a"
    assert hers.json()["items"][0]["metadata"] == {"from": "here"}
    for blind in (narrow, his):
        assert "model-" not in blind.content.decode()
        assert "from" not in blind.content.decode()


def test_an_item_of_another_project_is_not_found(api, project, alice):
    from annotate.services.project import create_project

    other = create_project(slug="other", name="Other", actor=alice)
    item = make_item(other, "Q?", "a", "b")
    for pk in (item.pk, 2**63 - 1):
        assert told(api(alice).get(f"{WHERE}/{pk}"))[0] == 404
    for pk in (0, 2**63, 10**40):
        assert told(api(alice).get(f"{WHERE}/{pk}"))[0] == 422


def test_more_items_cost_no_more_queries(api, project, alice, django_assert_num_queries):
    mine = api(alice)
    mine.get(WHERE)
    for n in (2, 8):
        make_tasks(project=project, items=[make_item(project, f"{n} {i}?", "a", "b") for i in range(n)])
        with django_assert_num_queries(4):  # token, project, items, responses
            mine.get(WHERE)


def test_what_comes_out_of_the_command_goes_in_by_the_api(api, project, alice, tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_bytes(lines(1, 2))
    with path.open("rb") as file:
        import_items(project=project, file=file, format="auto")
    assert api(alice).post(WHERE, path.read_bytes(), content_type=LINES).json()["skipped"] == 2
