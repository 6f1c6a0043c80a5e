"""The schema form with its live preview, and a worked example that is only read, in a real browser."""

import pytest

from annotate.models import Judgement, KnownAnswer, Task
from annotate.schema_form import PRESETS
from annotate.services.project import change_schema
from tests.annotate.making import make_item

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def form(page, live_server, client_of, project, alice):
    """Alice at the form, its preview drawn."""
    session = client_of(alice).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/p/answers/schema/")
    page.wait_for_selector("#preview[data-ready=preview] .response.current")
    return page


def test_the_preview_follows_the_form_and_can_be_tried(form):
    preview = form.locator("#preview")
    assert preview.locator(".response").count() == 2
    form.get_by_label("Shown together").select_option("all")
    preview.locator(".rank .chip").nth(2).wait_for()
    preview.locator(".chip", has_text="2").press("ArrowLeft")
    assert preview.locator(".place").all_text_contents() == ["1.2"]
    assert preview.locator("#submit").count() == 0


def test_a_row_is_added_written_and_seen_and_focus_is_never_lost(form, project):
    form.locator("button[value='add.safety']").focus()
    form.keyboard.press("Enter")
    form.locator("[name='safety.0.label']:focus").wait_for()
    form.keyboard.type("Hate")
    form.locator("#preview [data-safety=hate]").first.wait_for()
    form.get_by_role("button", name="Save as a new version").click()
    form.locator(".toast", has_text="Saved as schema version 2").wait_for()
    assert [category.key for category in project.schema.safety] == ["hate"]


def test_rows_change_places_by_keyboard(form, project):
    form.evaluate("document.addEventListener('htmx:afterSettle', () => { window.settled = true; })")
    form.locator("button[value='down.criteria.0']").focus()
    form.keyboard.press("Enter")
    form.locator("[name='criteria.0.label'][value='Clarity']").wait_for()
    form.wait_for_function("window.settled")  # the new rows are there a moment before their buttons are bound
    form.locator("button[value='remove.criteria.0']").focus()
    form.keyboard.press("Enter")
    form.locator("[name='criteria.1.label']").wait_for(state="detached")
    form.locator("button[value='remove.criteria.0']:focus").wait_for()


def test_a_mistake_stands_at_its_field_and_has_the_focus(form, project):
    form.locator("[name='criteria.0.key']").fill("Not a key")
    form.get_by_role("button", name="Save as a new version").click()
    form.locator("label:has([name='criteria.0.key']) .error-text").wait_for()
    form.locator("[name='criteria.0.key']:focus").wait_for()
    assert project.schema_version.number == 1


@pytest.mark.parametrize(("key", "part"), [("rubric", ".rating"), ("steps", ".step-list li"), ("safety", ".safety")])
def test_a_preset_is_one_press(form, key, part):
    form.get_by_role("button", name=PRESETS[key][0], exact=True).click()
    form.locator(f"#preview {part}").first.wait_for()
    assert not form.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_an_example_shows_its_answer_and_takes_no_other(form, live_server, project):
    change_schema(project=project, schema=PRESETS["pairwise"][1])
    item = make_item(project, "Which?", "one two", "three")
    left, right = item.responses.values_list("pk", flat=True)
    task = Task.objects.create(project=project, item=item, key="k", kind="example", slots=0, open_slots=0)
    task.responses.set([left, right])
    mark = {"response": left, "start": 0, "end": 3, "quote": "one", "category": "wrong"}
    answer = {"outcome": "ranking", "ranking": [[right], [left]], "strength": 2, "spans": [mark]}
    known = KnownAnswer.objects.create(task=task, answer=answer, explanation="Because.", title="One")
    form.goto(f"{live_server.url}/p/answers/examples/{known.pk}/")
    form.locator("[name=outcome][value=right-2]:checked").wait_for(state="attached")
    assert form.locator(".mark .what").text_content() == "Wrong fact: “one”"
    assert form.get_by_text("Because.").is_visible()
    form.locator(".response").nth(1).locator("[data-view=rendered]").dblclick(position={"x": 20, "y": 10})
    form.keyboard.press("1")
    assert form.locator(".mark").count() == 1
    assert not Judgement.objects.exists()
