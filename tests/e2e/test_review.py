"""Finding words in the guidelines, and a case with its marks: in a browser."""

import pytest

from annotate.models import Judgement, Role
from annotate.services.guidelines import change_guidelines
from annotate.services.project import add_member
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
from tests.annotate.test_review import say

pytestmark = pytest.mark.e2e
WORDS = "# Rules\n\nMark the **shor**test span.\n\n- a short note\n- shor\n\ntest"
MARKED = "[...document.querySelectorAll('[data-spans]')].map(el => el.dataset.spans)"


@pytest.fixture
def desk(page, live_server, project, alice, client_of):
    cookie = client_of(alice).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.open = lambda path: page.goto(f"{live_server.url}/p/answers/{path}")
    return page


@pytest.fixture
def task(project, bob, person):
    make_tasks(project=project, items=[make_item(project, "Which?", "alpha **text** here", "beta text")])
    task = project.tasks.get()
    first = task.responses.get(index=0).pk
    erin = person("erin")
    add_member(project=project, user=erin, role=Role.ANNOTATOR)
    for rater, start, quote in ((bob, 0, "alpha"), (erin, 8, "text")):
        span = {"response": first, "start": start, "end": start + len(quote), "quote": quote, "category": "wrong"}
        say(project, task, rater, "beta text", spans=[span])
    return task


def test_words_are_found_across_emphasis_and_not_across_paragraphs(desk, project):
    change_guidelines(project=project, body=WORDS)
    desk.open("guidelines/")
    before = desk.inner_html("#guidelines-text")
    desk.fill("#find-guidelines-text", "shortest")
    assert desk.inner_text("[data-find] [role=status]") == "1 of 1"
    desk.fill("#find-guidelines-text", "SHORT")
    assert desk.inner_text("[data-find] [role=status]") == "1 of 2"
    desk.press("#find-guidelines-text", "Enter")
    desk.press("#find-guidelines-text", "Enter")
    desk.press("#find-guidelines-text", "Shift+Enter")
    assert desk.inner_text("[data-find] [role=status]") == "2 of 2"
    assert desk.inner_html("#guidelines-text") == before
    desk.fill("#find-guidelines-text", ".*(")
    assert desk.inner_text("[data-find] [role=status]") == "nothing found"


def test_the_pane_of_the_judging_page_is_searched_by_keyboard(desk, project, task):
    change_guidelines(project=project, body=WORDS)
    desk.open("judge/")
    desk.wait_for_selector("html[data-ready]")
    desk.keyboard.press("g")
    desk.keyboard.type("short")
    assert desk.inner_text("#guidelines [role=status]") == "1 of 2"
    desk.keyboard.press("Escape")
    desk.keyboard.press("Escape")  # the first one may empty the field
    desk.wait_for_selector("#guidelines", state="hidden")


def test_marks_are_shown_one_rater_at_a_time_and_all_together(desk, task):
    desk.open(f"review/{task.pk}/")
    assert len(desk.evaluate(MARKED)) == 2
    desk.check("[name=whose][value='0']")
    [alone] = desk.evaluate(MARKED)
    desk.check("[name=whose][value='1']")
    assert desk.evaluate(MARKED) not in ([], [alone])
    desk.check("[name=whose][value='all']")
    assert len(desk.evaluate(MARKED)) == 2


def test_a_case_is_decided_in_the_judging_page(desk, task):
    desk.open(f"review/{task.pk}/")
    desk.click("text=Decide it")
    desk.wait_for_selector("html[data-ready]")
    assert desk.locator(".others article").count() == 2
    desk.keyboard.press("1")
    desk.click("#submit")
    desk.wait_for_selector("text=The decision")
    assert Judgement.objects.get(kind="adjudication").source == "adjudicated"


def test_a_known_answer_is_made_from_an_item(desk, task):
    desk.open(f"items/{task.item_id}/")
    desk.click("text=Answer it, as a known answer")
    desk.wait_for_selector("html[data-ready]")
    assert desk.locator(".others").count() == 0
    desk.keyboard.press("2")
    desk.click("#submit")
    desk.check("[name=kind][value=gold]")
    desk.click("text=Keep it")
    desk.wait_for_selector("text=The known answer is kept.")
    assert task.project.tasks.get(kind="gold").known.answer["strength"] == 2
