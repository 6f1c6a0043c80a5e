"""The schema's form with its preview."""

import pytest
from django.db.models import Count
from django.urls import reverse

from annotate.models import Judgement, Task
from annotate.schema import Schema
from annotate.schema_form import PRESETS, fields_of
from annotate.schema_text import write_schema
from annotate.services.project import change_schema
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db
URL, PREVIEW, TASKS = (f"/p/answers/schema/{rest}" for rest in ("", "preview/", "tasks/"))


@pytest.fixture
def browser(client_of, project, alice):
    return client_of(alice)


def form_of(schema, **changes):
    return fields_of(schema.model_dump(mode="json")) | changes


def test_the_form_shows_the_newest_schema(browser, project):
    html = browser.get(URL).content.decode()
    for seen in ("version 1", "Wrong fact", "Helpfulness", "1: useless", "each pair", "Harm"):
        assert seen in html


def test_saving_makes_a_new_version_and_old_judgements_keep_theirs(browser, project, alice):
    item = make_item(project, "Two?", "a", "b")
    make_tasks(project=project, items=[item])
    Judgement.objects.create(
        project=project, item=item, task=Task.objects.get(), rater=alice, shown_order=[], outcome="tie",
        schema_version=1, texts_sha256={}, idempotency_key="a",
    )  # fmt: skip
    response = browser.post(URL, form_of(PRESETS["rubric"][1], do="save"))
    assert response.headers["Location"] == URL
    assert project.schema == PRESETS["rubric"][1]
    rows = browser.get(URL).context["versions"]
    assert [(row["version"].number, row["judgements"]) for row in rows] == [(2, 0), (1, 1)]


def test_the_schema_can_be_written_as_json_and_a_mistake_has_its_line(browser, project):
    body = write_schema(PRESETS["ranking"][1])
    assert browser.post(URL, {"do": "json", "body": body}).headers["Location"] == URL
    assert project.schema == PRESETS["ranking"][1]
    wrong = browser.post(URL, {"do": "json", "body": body.replace('"all"', '"some"')})
    assert wrong.status_code == 422
    assert "Line 2, arrangement" in wrong.content.decode()
    assert project.schema_version.number == 2


def test_the_same_schema_makes_no_version(browser, project):
    browser.post(URL, form_of(project.schema, do="save"))
    assert project.schema_version.number == 1


def test_a_mistake_is_shown_at_its_field_and_nothing_is_saved(browser, project):
    response = browser.post(URL, form_of(project.schema, do="save") | {"criteria.0.low": "9"})
    assert response.status_code == 422
    assert "high must be 1 to 9 above low" in response.content.decode()
    assert project.schema_version.number == 1


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_the_form_and_saves_nothing(browser, project, preset):
    response = browser.post(URL, {"do": f"preset.{preset}"}, headers={"HX-Request": "true"})
    assert response.content.lstrip().startswith(b'<form id="schema-form"')
    assert project.schema_version.number == 1


def test_buttons_change_the_rows_of_the_form(browser, project):
    response = browser.post(URL, form_of(project.schema, do="remove.criteria.0"))
    (criteria,) = (section for section in response.context["sections"] if section["name"] == "criteria")
    assert [row["fields"]["key"]["value"] for row in criteria["rows"]] == ["clarity"]


@pytest.mark.parametrize("do", ["", "drop", "preset.none", "up.criteria", "remove.criteria.7", "add.secrets"])
def test_another_act_is_a_bad_request(browser, project, do):
    assert browser.post(URL, form_of(project.schema, do=do)).status_code == 400


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("with_item", [True, False])
def test_the_preview_is_the_judging_page_of_the_fields(browser, project, preset, with_item):
    if with_item:
        item = make_item(project, "Which city?", "Paris", "Rome", "Bern")
        item.responses.update(steps=[{"start": 0, "end": 1, "kind": ""}])
    html = browser.post(PREVIEW, form_of(PRESETS[preset][1])).content.decode()
    assert 'data-mode="preview"' in html
    assert ("Which city?" in html) is with_item
    assert "<html" not in html
    assert "action=" not in html


def test_the_preview_says_what_is_wrong(browser, project):
    html = browser.post(PREVIEW, form_of(project.schema) | {"criteria.0.label": ""}).content.decode()
    assert "criteria.0.label" in html
    assert "data-mode" not in html


def test_the_missing_tasks_of_a_new_arrangement_are_offered_and_made(browser, project):
    make_tasks(project=project, items=[make_item(project, "Which city?", "Paris", "Rome", "Bern")])
    assert "Make the missing tasks" not in browser.get(URL).content.decode()
    change_schema(project=project, schema=Schema(arrangement="all"))
    assert "Make the missing tasks" in browser.get(URL).content.decode()
    page = browser.post(TASKS, {"after": 0, "made": 0}, follow=True).content.decode()
    assert "1 tasks are made." in page
    assert sorted(task.responses.count() for task in Task.objects.all()) == [2, 2, 2, 3]


@pytest.fixture
def slowly(project, monkeypatch):
    """Five items whose arrangement changed, two of them looked at before the time is over."""
    make_tasks(
        project=project, items=[make_item(project, f"Which city {n}?", "Paris", "Rome", "Bern") for n in range(5)]
    )
    change_schema(project=project, schema=Schema(arrangement="all"))
    monkeypatch.setattr("annotate.views.schema.SECONDS", -1)
    monkeypatch.setattr("annotate.services.task.BATCH", 2)
    return sorted(project.items.values_list("pk", flat=True))


def whole():
    return Task.objects.annotate(n=Count("responses")).filter(n=3).count()


def test_tasks_are_made_some_at_a_time_while_the_page_tells(browser, slowly):
    sent = {"after": 0, "made": 0}
    for made, last in ((2, slowly[1]), (4, slowly[3]), (5, slowly[4])):
        html = browser.post(TASKS, sent, headers={"HX-Request": "true"}).content.decode()
        assert whole() == made
        assert f"{made} tasks made; {made} of 5 items" in html
        assert ('hx-trigger="load' in html, f'name="after" value="{last}"' in html) == (True, True)
        sent = {"after": last, "made": made}
    done = browser.post(TASKS, sent, headers={"HX-Request": "true"})
    assert done["HX-Redirect"] == URL
    assert "5 tasks are made." in browser.get(URL).content.decode()


def test_without_a_script_a_button_goes_on(browser, slowly):
    page = browser.post(TASKS, {"after": 0, "made": 0}, follow=True)
    assert page.redirect_chain[0][0] == f"{URL}?after={slowly[1]}&made=2"
    assert "2 tasks made; 2 of 5 items" in page.content.decode()
    assert "looked at" not in browser.get(f"{URL}?after=x&made=1").content.decode()


@pytest.mark.parametrize(
    "sent", [{}, {"after": "x", "made": 0}, {"after": -1, "made": 0}, {"after": 0, "made": "9" * 40}]
)
def test_what_the_page_never_sends_makes_nothing(browser, slowly, sent):
    assert browser.post(TASKS, sent).status_code == 400
    assert whole() == 0


@pytest.mark.parametrize("url", [URL, PREVIEW, TASKS])
def test_only_the_admin_changes_what_is_asked(client_of, project, bob, charlie, url):
    assert client_of(charlie).post(url).status_code == 404
    assert client_of(bob).post(url).status_code == 403


@pytest.mark.parametrize("name", ["schema_preview", "schema_tasks"])
def test_what_writes_is_a_post(browser, project, name):
    assert browser.get(reverse(f"annotate:{name}", args=["answers"])).status_code == 405


def test_the_preview_stores_nothing_and_a_nul_is_left_out(browser, project):
    browser.post(URL, form_of(project.schema, do="save") | {"criteria.0.label": "He\0lp"})
    assert project.schema.criteria[0].label == "Help"
