"""What users of other tools complain of most (annotation.md §2), held by what the database is asked and what it keeps.

The numbers are those of that list. 1, 2, 16, 21 and 22 are tried in a browser (tests/e2e/test_saving.py, test_keys.py),
3, 4 and 25 by many writers at once (test_lease_race.py, test_queue_race.py, tests/soak), 13 in nine kinds of text
(tests/e2e/test_span_scripts.py), 19 by keyboard (tests/e2e/test_long_text.py).
"""

import itertools
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotate.models import Assignment, Item, Judgement, Response, Span, Task
from annotate.services import exported
from annotate.services.exported import Export, export_chunks
from annotate.services.queue import lease_next
from annotate.services.tally import count_waiting
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
from tests.annotate.test_judge_views import data_of, post, send, url
from tests.benchmarks.span_editor import marks, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def items(project):
    """Six items of two responses, which every project asks about."""
    made = [make_item(project, f"Question {n}?", f"a {n}", f"b {n}") for n in range(6)]
    make_tasks(project=project, items=made)
    return made


@pytest.fixture
def lease(items, project, bob):
    return lease_next(project=project, user=bob)


def test_2_a_draft_that_arrives_after_its_answer_changes_nothing(lease, bob, client_of):
    """A draft overwrote the real answer, or came back as a blank one."""
    browser = client_of(bob)
    late = {"draft": {"answer": {"outcome": "tie"}}, "revision": lease.draft_revision}
    sent = send(browser, lease)
    said = Judgement.objects.values_list("outcome", "ranking", "revision").get()
    assert (sent.status_code, post(browser, url("draft", lease), late).status_code) == (200, 409)
    assert Assignment.objects.get(pk=lease.pk).draft == {}
    assert list(Judgement.objects.values_list("outcome", "ranking", "revision")) == [said]
    assert data_of(browser.get(url("judge", lease)))["answer"]["ranking"] == said[1]


def test_4_each_item_gets_its_judgements_from_as_many_people_and_nobody_clicks(items, project, person, client_of):
    """K labels per item without manual work."""
    Task.objects.update(slots=3, open_slots=3)
    people = [person(f"rater-{n}") for n in range(4)]
    for user in people:
        project.memberships.create(user=user, role="annotator")
    for user in itertools.chain(*[people] * 6):
        if mine := lease_next(project=project, user=user):
            assert send(client_of(user), mine).status_code == 200
    given = [list(item.judgements.values_list("rater", flat=True)) for item in items]
    assert [(len(raters), len(set(raters))) for raters in given] == [(3, 3)] * 6
    assert list(Task.objects.values_list("open_slots", flat=True)) == [0] * 6


def test_17_the_list_of_items_is_counted_without_reading_a_text(items, project, alice, client_of):
    """A count query did DISTINCT over the whole body of each task: more than 15 seconds at 10,000 tasks."""
    with CaptureQueriesContext(connection) as asked:
        html = client_of(alice).get("/p/answers/items/").content.decode()
    assert all(f"Question {n}?" in html for n in range(6))
    queries = [query["sql"] for query in asked if '"annotate_item"' in query["sql"]]
    (count,) = [sql for sql in queries if sql.startswith("SELECT COUNT(*)")]
    assert not any(word in count for word in ("turns", "metadata", "JOIN", "DISTINCT", "GROUP BY", "annotate_response"))
    (page,) = [sql for sql in queries if sql != count]
    assert ("LIMIT" in page, "DISTINCT" in page) == (True, False)


@pytest.mark.parametrize("container", ["jsonl", "parquet"])
def test_18_an_export_begins_at_once_and_holds_a_few_items_at_a_time(items, project, monkeypatch, container):
    """Exports timed out, since the whole was made before the first byte left."""
    assert exported.BATCH <= 500
    monkeypatch.setattr(exported, "BATCH", 2)
    monkeypatch.setattr("annotate.formats.written.CHUNK", 1)
    monkeypatch.setattr("annotate.formats.written.BATCH", 1)
    with CaptureQueriesContext(connection) as asked:
        chunks = export_chunks(project=project, export=Export(container=container))
        first, reads = next(chunks), [len(asked)]
        for _ in chunks:
            reads.append(len(asked))
    assert first
    # The schema, three reads of each two items, and one that finds no more; none is made before it is needed.
    assert reads == sorted(reads)
    assert (reads[0] <= 4, len(set(reads)) >= 3, reads[-1] - 1 > 3 * (reads[0] - 1)) == (True,) * 3


def test_19_two_hundred_marks_on_a_long_text_are_stored_as_they_were_made(project, bob, client_of):
    """A text of 25 kB with spans took half a minute to open, and lost them when it crashed."""
    long = text()
    make_tasks(project=project, items=[make_item(project, "Long?", long, "short")])
    mine = lease_next(project=project, user=bob)
    first = Response.objects.get(text=long).pk
    made = [{**one, "response": first, "quote": long[one["start"] : one["end"]]} for one in marks(long)]
    made = [one | {"category": "wrong" if n % 2 else "irrelevant"} for n, one in enumerate(made)]
    assert send(client_of(bob), mine, {"spans": made}).status_code == 200
    columns = ("start", "end", "quote", "category", "note")
    assert sorted(Span.objects.values_list(*columns)) == sorted(tuple(one[name] for name in columns) for one in made)


def test_20_pages_about_raters_read_kept_counts_and_never_the_judgements(items, project, bob, alice, client_of):
    """Monitoring pages hung for minutes: they walked over every judgement."""
    for _ in items:
        send(client_of(bob), lease_next(project=project, user=bob))
    count_waiting(seconds=60)
    for page in ("", "disputes/", "raters/"):
        with CaptureQueriesContext(connection) as asked:
            assert client_of(alice).get(f"/p/answers/agreement/{page}").status_code == 200
        walks = [query["sql"] for query in asked if 'FROM "annotate_judgement"' in query["sql"]]
        # Both have an index of their own, which leaves the many out: what is not counted yet, and hidden tasks.
        indexed = ('NOT "annotate_judgement"."tallied"', '"annotate_judgement"."kind" IN (')
        where = [sql.partition(" WHERE ")[2] for sql in walks]
        assert [sql for sql in where if not any(part in sql for part in indexed)] == []


def test_23_what_stood_on_the_left_is_stored_with_the_answer(items, project, bob, alice, client_of):
    """Outputs always came in the same order; and where they were shuffled, nobody kept how."""
    Task.objects.update(slots=2, open_slots=2)
    stood = {}
    for user in (bob, alice):
        for _ in items:
            mine = lease_next(project=project, user=user)
            shown = [one["id"] for one in data_of(client_of(user).get(url("judge", mine)))["responses"]]
            send(client_of(user), mine)
            stood[user.pk, mine.task_id] = shown
    kept = {(row.rater_id, row.task_id): row.shown_order for row in Judgement.objects.all()}
    assert kept == stood
    texts = dict(Response.objects.values_list("pk", "text"))
    sides = [texts[shown[0]][0] for (rater, _), shown in stood.items() if rater == bob.pk]
    assert sorted(sides) == ["a"] * 3 + ["b"] * 3


def test_a_check_of_a_file_counts_the_responses_that_tell_who_wrote_them(project, tmp_path, capsys):
    """Raters who can tell the model are not blind (§5, point 6): it is said before anybody judges."""
    from django.core.management import call_command

    file = tmp_path / "items.jsonl"
    file.write_text(json.dumps({"prompt": "Who?", "responses": ["I am ChatGPT.", "As an AI, I cannot say."]}))
    call_command("import_items", "answers", str(file), "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)["warnings"]
    assert ["maker of their model" in words and words.endswith(": 1 (line 1).") for words in told] == [True, False]
    assert not Item.objects.exists()
