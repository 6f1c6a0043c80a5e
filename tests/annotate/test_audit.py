"""What happened: who may read it, what may be asked of it, how it is taken along, and that it stays as it is."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from annotate.audit import PAGES, SAID, defused, page, said
from annotate.models import Event, Role
from annotate.models.event import LedgerError
from annotate.services.access_token import create_machine_token, create_token, revoke_token
from annotate.services.event import record
from annotate.services.member import change_role
from annotate.services.user import set_keys

PAGE, FILE = "/p/answers/audit/", "/p/answers/audit/file/"
HTMX = {"HX-Request": "true"}
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|cmd", "%0A", "＝1"]


@pytest.fixture
def admin(client_of, project, alice):
    return client_of(alice)


@pytest.fixture
def acts(project, alice, bob):
    """Bob became a reviewer, and chose other keys; the site made tasks by itself."""
    change_role(member=project.memberships.get(user=bob), role=Role.REVIEWER, actor=alice)
    set_keys(user=bob, keys={})
    record(kind="task.made", subject=project, project=project, tasks=3, reason="x")


def told(response) -> list[str]:
    return [line["said"] for line in response.context["lines"]]


# ---- The page


def test_it_tells_who_did_what_newest_first(admin, acts):
    response = admin.get(PAGE)
    assert told(response) == [
        "made 3 tasks",
        "changed the role of bob from annotator to reviewer",
        "added bob as annotator",
        "added alice as admin",
        "made the project",
    ]
    html = response.content.decode()
    assert '<a href="/p/answers/members/">changed the role of bob' in html
    assert "the site" in html
    assert "<dt>before</dt><dd>annotator</dd>" in html  # its details, folded


@pytest.mark.parametrize("url", [PAGE, FILE])
def test_who_may_read_it(client_of, project, acts, bob, charlie, url):
    assert client_of(bob).get(url).status_code == 403
    assert client_of(charlie).get(url).status_code == 404
    assert client_of(bob).post(url).status_code == 405


@pytest.mark.parametrize("url", ["/audit/", "/audit/file/"])
def test_what_happened_on_the_site_is_for_superusers(client_of, alice, project, acts, url, django_user_model):
    assert client_of(alice).get(url).status_code == 403
    boss = client_of(django_user_model.objects.create_superuser("boss"))
    found = boss.get(url)
    words = b"chose other keys"  # belongs to no project
    assert words in (found.getvalue() if found.streaming else found.content)
    assert words not in client_of(alice).get(PAGE).content


def test_another_projects_acts_are_not_told(admin, acts, charlie):
    from annotate.services.project import create_project

    create_project(slug="others", name="Others", actor=charlie)
    assert b"others" not in admin.get(PAGE).content
    assert admin.get(PAGE, {"who": "charlie"}).status_code == 422  # nor who is there
    assert admin.get(PAGE, {"before": Event.objects.last().pk}).context["lines"][0]["said"] == "made 3 tasks"


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ({"kind": "member.changed"}, ["member.changed"]),
        ({"kind": "member"}, ["member.changed", "member.added", "member.added"]),
        ({"who": "alice", "kind": "project"}, ["project.created"]),
        ({"who": "-"}, ["task.made"]),
        ({"subject": "project:0"}, []),
        ({"since": "2000-01-01", "until": "2000-01-02"}, []),
    ],
)
def test_what_may_be_asked(admin, acts, asked, kinds):
    assert [line["event"].kind for line in admin.get(PAGE, asked).context["lines"]] == kinds


def test_days_are_whole(admin, acts, project):
    day = Event.objects.last().created_at.date()
    for asked, found in (
        ({"since": day, "until": day}, True),
        ({"until": day - timedelta(days=1)}, False),
        ({"since": day + timedelta(days=1)}, False),
    ):
        assert bool(admin.get(PAGE, asked).context["lines"]) is found


def test_everything_done_to_one_thing(admin, acts, project):
    assert told(admin.get(PAGE, {"subject": f"project:{project.pk}"})) == ["made 3 tasks", "made the project"]


@pytest.mark.parametrize(
    "asked",
    [
        {"who": "nobody-here"},
        {"who": "bob\0"},
        {"kind": "member.changed' OR 1=1"},
        {"kind": "actor__password"},
        {"subject": "../1"},
        {"subject": "project:1\n"},
        {"since": "yesterday"},
        {"until": "9999-12-31"},
    ],
)
def test_whatever_else_is_asked_is_refused_in_words(admin, acts, asked):
    for url in (PAGE, FILE):
        response = admin.get(url, asked)
        assert (response.status_code, response.context["lines"]) == (422, [])
        assert 'role="alert"' in response.content.decode()


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "²", "1e3"])
def test_an_odd_place_to_go_on_from_is_the_beginning(admin, acts, before):
    assert len(admin.get(PAGE, {"before": before}).context["lines"]) == 5


def test_a_fragment_and_an_empty_page(admin, acts):
    fragment = admin.get(PAGE, {"kind": "job"}, headers=HTMX).content.decode()
    assert fragment.lstrip().startswith('<div id="rows">')
    assert "Nothing found" in fragment


def test_a_long_ledger_is_read_page_by_page_and_never_counted(admin, acts, project):
    rows = [Event(project=project, kind="task.leased", subject=f"task:{n}") for n in range(120)]
    Event.objects.bulk_create(rows)
    seen, url = [], PAGE
    while url:
        with CaptureQueriesContext(connection) as queries:
            response = admin.get(url)
        assert not [one for one in queries if "COUNT(" in one["sql"] or "OFFSET" in one["sql"]]
        seen += [line["event"].pk for line in response.context["lines"]]
        url = response.context["older"] and f"{PAGE}?before={response.context['older']}"
    assert seen == sorted(project.events.values_list("pk", flat=True), reverse=True)


@pytest.mark.parametrize(
    "asked", [{}, {"project": 1}, {"actor": 1}, {"kind": "a.b"}, {"kind__gt": "a.", "kind__lt": "a/"}]
)
def test_each_question_is_answered_by_an_index(db, asked):
    rows = Event.objects.filter(**asked).newest_first()[:50]
    plan = rows.explain()
    assert "SCAN annotate_event\n" not in plan + "\n", plan
    subject = Event.objects.filter(subject="job:1").explain()
    assert "event_by_subject" in subject


def test_several_of_one_instant_are_each_told_once(db, project):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with patch("django.utils.timezone.now", return_value=at):
        rows = Event.objects.bulk_create(Event(project=project, kind="a.b", subject="x:1") for _ in range(5))
    assert list(Event.objects.filter(kind="a.b", created_at=at).older_than(rows[2]).newest_first()) == rows[1::-1]


# ---- The file


def test_a_table(admin, acts, bob):
    response = admin.get(FILE, {"format": "csv", "kind": "member.changed"})
    assert response.streaming
    assert response["Content-Disposition"] == 'attachment; filename="answers-audit.csv"'
    assert (response["X-Content-Type-Options"], response["Content-Type"]) == ("nosniff", "text/csv; charset=utf-8")
    [row] = csv.DictReader(io.StringIO(response.getvalue().decode()))
    assert (row["who"], row["act"]) == ("alice", "changed the role of bob from annotator to reviewer")
    assert json.loads(row["details"]) == {"user": bob.pk, "before": "annotator", "role": "reviewer"}


def test_lines_of_json(admin, acts, project):
    rows = [json.loads(line) for line in admin.get(FILE, {"format": "jsonl"}).getvalue().splitlines()]
    assert [row["kind"] for row in rows] == [event.kind for event in project.events.newest_first()]
    assert rows[0] | {"id": 0, "at": ""} == {
        "id": 0, "at": "", "who": "", "kind": "task.made", "subject": f"project:{project.pk}", "project": "answers",
        "act": "made 3 tasks", "details": {"tasks": 3, "reason": "x"},
    }  # fmt: skip


def test_a_file_is_written_from_pieces(admin, acts, monkeypatch):
    monkeypatch.setattr("annotate.services.audit.CHUNK", 2)
    rows = admin.get(FILE, {"format": "jsonl"}).getvalue().splitlines()
    assert len({json.loads(row)["id"] for row in rows}) == len(rows) == 5


def test_the_page_names_files_with_the_same_choice(admin, acts):
    html = admin.get(PAGE, {"kind": "member.changed", "before": 10**9}).content.decode()
    assert "/p/answers/audit/file/?kind=member.changed&amp;format=csv" in html


@pytest.mark.parametrize("words", FORMULAS)
def test_no_cell_of_a_table_is_a_formula(admin, project, alice, person, words):
    assert defused(words) == f"'{words}"
    assert defused("plain -1") == "plain -1"
    name = words.strip()
    alice.username = name
    alice.save()
    record(kind=f"{words[:9]}.x", subject=project, project=project, actor=alice, why=words)
    table = admin.get(FILE, {"format": "csv"}).getvalue().decode()
    cells = [cell for row in csv.reader(io.StringIO(table, newline="")) for cell in row]
    assert [cell for cell in cells if cell and defused(cell) != cell and not cell.startswith("'")] == []


# ---- In words


def test_an_act_without_words_of_its_own_is_spelt_out():
    assert said("web_hook.sent", "webhook:3", {}) == "web hook sent: webhook 3"
    assert page("web_hook.sent", "webhook:3", {}) is None


def test_words_come_from_the_data_and_never_from_an_attribute():
    assert said("case.dismissed", "case:1", {"reason": "{id.__class__}"}) == "dismissed a case: {id.__class__}"
    assert said("task.assigned", "project:1", {"tasks": 2, "users": ["bob", "dora"]}) == "kept 2 tasks for bob, dora"
    assert said("case.dismissed", "case:1", {"erased": True}) == "dismissed a case: –"
    assert len(said("task.flagged", "task:1", {"note": "x" * 999})) < 250


@pytest.mark.parametrize("data", [{}, {"number": "7/../.."}, {"number": -1}, {"number": "²"}])
def test_a_page_is_named_by_a_number_alone(data):
    assert page("version.promoted", "version:1", data) is None
    assert page("version.promoted", "version:1", {"number": 7}) == ("worker:version", {"number": 7})


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_page_that_an_act_leads_to_is_there(name):
    from django.urls import reverse

    route, arguments = PAGES[name]
    slug = {} if route == "worker:none" else {"slug": "answers"}
    assert reverse(route, kwargs=slug | dict.fromkeys(arguments, 1))
    assert "." not in name or name in SAID


def test_a_token_is_told_with_whose_it_is_what_it_may_and_where(client_of, project, alice, bob, django_user_model):
    mine = create_token(user=bob, name="nightly", scopes=["see", "judge"], expires_at=None, actor=bob)[0]
    create_token(user=bob, name="here", scopes=["see"], expires_at=None, project=project, actor=bob)
    create_machine_token(project=project, name="gpt", actor=alice)
    revoke_token(token=mine, actor=bob)
    boss = client_of(django_user_model.objects.create_superuser("boss"))
    assert told(boss.get("/audit/", {"kind": "token"})) == [
        "revoked the token nightly of bob: judge, see in all projects",
        "made the token gpt for model gpt@answers: judge, see in answers",
        "made the token here for bob: see in answers",
        "made the token nightly for bob: judge, see in all projects",
    ]
    assert client_of(alice).get(PAGE, {"kind": "token"}).context["lines"][0]["url"] == "/p/answers/members/"


# ---- It stays


def test_nothing_in_the_code_changes_or_deletes_an_act(project):
    event = project.events.first()
    for act in (
        event.save,
        event.delete,
        project.events.all().delete,
        lambda: Event.objects.update(kind="x"),
        lambda: Event.objects.bulk_update([event], ["kind"]),
        lambda: Event.objects.update_or_create(pk=event.pk, defaults={"kind": "x"}),
    ):
        with pytest.raises(LedgerError):
            act()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM annotate_event",
        "UPDATE annotate_event SET kind = 'x'",
        "UPDATE annotate_event SET subject = 'x:1'",
        "UPDATE annotate_event SET project_id = NULL",
        "UPDATE annotate_event SET created_at = '2000-01-01 00:00:00'",
    ],
)
def test_the_database_refuses_it_too(project, sql):
    before = list(Event.objects.values())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(Event.objects.values()) == before


def test_erasing_a_person_blanks_the_words_and_keeps_the_act(project, acts, alice, bob):
    acted = Event.objects.filter(actor=bob)
    assert acted.blank() == 1
    bob.delete()  # what is done when even the pseudonym goes
    event = Event.objects.get(kind="user.keys")
    assert (event.actor, event.data) == (None, {"erased": True})


# ---- Acts that no page of ours does


def test_what_superusers_do_to_accounts_is_told(client_of, django_user_model, bob):
    boss = client_of(django_user_model.objects.create_superuser("boss"))
    phrase = {"usable_password": "true", "password1": "long-enough-1", "password2": "long-enough-1"}
    assert boss.post("/admin/annotate/user/add/", {"username": "dora"} | phrase).status_code == 302
    about = f"/admin/annotate/user/{bob.pk}"
    sent = {"username": "bob", "first_name": "Bob", "keys": "{}", "date_joined_0": "2026-01-01"}
    assert boss.post(f"{about}/change/", sent | {"date_joined_1": "00:00:00"}).status_code == 302
    assert boss.post(f"{about}/password/", phrase).status_code == 302
    assert boss.get(f"{about}/delete/").status_code == 403
    made, changed, password = Event.objects.filter(subject__startswith="user:")
    assert {event.actor.username for event in (made, changed, password)} == {"boss"}
    assert (made.kind, changed.kind, password.kind) == ("user.created", "user.changed", "user.changed")
    assert "First name" in changed.data["fields"]
    assert password.data["fields"] == ["password"]
