"""Every shape of judgement by keyboard in a real browser, read back from the database; nothing scrolls sideways."""

import json
import sqlite3

import pytest

from tests.e2e.desk_page import SIZE, ready

pytestmark = pytest.mark.e2e
SEED = r"""
from annotate.models import User
from annotate.schema import DEFAULT, Category, Criterion, Principle, Schema
from annotate.services.project import add_member, create_project
from annotate.services.task import make_tasks
from tests.annotate.making import make_item
alice, bob = User.objects.order_by("pk")
LONG = "The **tower** is in *Rome*. " + "More words that fill the pane. " * 150
TURNS = [("user", "Hello."), ("assistant", "Good day."), ("user", "Where is the tower? " * 40)]
TURNS = [{"role": role, "content": content} for role, content in TURNS]

def make(slug, schema, texts, steps=()):
    project = create_project(slug=slug, name=slug, actor=alice, schema=schema)
    add_member(project=project, user=bob, role="annotator", actor=alice)
    for n in range(4):
        item = make_item(project, f"{slug} {n}", *texts, turns=TURNS)
        item.responses.update(steps=list(steps))
        make_tasks(project=project, items=[item])

rubric = (
    Criterion(key="help", label="Help", low=1, high=5, anchors={1: "useless", 5: "all I needed"}),
    Criterion(key="polite", label="Polite", kind="yes_no", rationale=True),
    Criterion(key="share", label="Share", kind="number", low=0, high=100, weight=2),
)
harms = (Category(key="hate", label="Hate"), Category(key="crime", label="Crime"))
three = [(0, 27, "thought"), (28, 58, "call"), (59, 89, "result")]
three = [{"start": start, "end": end, "kind": kind} for start, end, kind in three]
eight = [f"{n}. {LONG}" for n in range(8)]
principles = (Principle(key="honest", label="Honesty"), Principle(key="short", label="Brevity"))
make("rank", Schema(arrangement="all"), eight[:4])
make("partial", Schema(arrangement="all", partial=True, principles=principles, categories=DEFAULT.categories), eight)
make("nine", Schema(arrangement="all"), [f"{n}" for n in range(9)])
make("single", Schema(arrangement="single", criteria=rubric, safety=harms), [LONG])
make("each", Schema(steps="each", turns=True), [LONG, LONG + "2"], three)
make("first", Schema(arrangement="single", steps="first_error"), [LONG], three)
make("write", Schema(rewrite=True, demonstration=True), ["one two three", "four"])
make("harm", Schema(safety=harms), ["one", "two"])
make("own", Schema(demonstration=True), [])
from django.test import Client
browser = Client()
browser.force_login(alice)
print(browser.cookies["sessionid"].value)
"""
JSONS = ("shown_order", "ranking", "ratings", "rationales", "safety", "steps", "turns", "principles", "corrections")
WIDE = """() => {
  if (document.documentElement.scrollWidth <= document.documentElement.clientWidth) return [];
  const out = [...document.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > innerWidth);
  return [innerWidth, ...out.map((e) => e.outerHTML.slice(0, 80))];
}"""


@pytest.fixture(scope="module")
def shapes(site):
    """The site with a project of every shape; Alice is signed in there."""
    site.alice = site.run(SEED).strip()
    return site


@pytest.fixture
def desk(shapes, database, seat):
    """desk(slug) is Bob before a task of that project."""
    return lambda slug: opened(seat, f"{shapes.url}/p/{slug}/judge/")


def opened(page, url):
    page.goto(url)
    return ready(page)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def submitted(site, page, slug):
    """Submit by key; the row that the server stored, once the page has gone on."""
    old = page.url
    count = "SELECT count(*) FROM annotate_judgement"
    with sqlite3.connect(site.folder / "touchstone.sqlite3") as database:
        before = database.execute(count).fetchone()
        page.keyboard.press("Control+Enter")
        site.wait_until(lambda: database.execute(count).fetchone() != before, 15)
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM annotate_judgement ORDER BY id DESC").fetchone()
    page.wait_for_url(lambda url: url != old)
    return {name: json.loads(row[name]) if name in JSONS else row[name] for name in row.keys()}  # noqa: SIM118


def places(row):
    """The ranking as numbers of the responses on the page."""
    return [[row["shown_order"].index(pk) + 1 for pk in group] for group in row["ranking"]]


def test_four_are_ranked_by_digits_with_a_tie(site, desk):
    page = desk("rank")
    assert page.locator(".place").count() == 0  # nothing is ranked before somebody says so
    press(page, "3", "1", "1", "2", "4", "9", "2", "9", "=")
    assert page.locator("#said").text_content() == "Response 2: place 3 of 3, with 4"
    assert places(submitted(site, page, "rank")) == [[3], [1], [4, 2]]


def test_a_ranking_is_moved_undone_and_taken_back(site, desk):
    page = desk("rank")
    press(page, "1", "1", "2", "2", "3", "3", "4", "4", "ArrowLeft", "ArrowLeft")
    assert page.locator(".place").all_text_contents() == ["1.1", "2.4", "3.2", "4.3"]
    press(page, "Delete")
    assert page.locator(".tray .chip").all_text_contents() == ["4"]
    press(page, "Control+z")
    assert page.locator(".place").all_text_contents() == ["1.1", "2.4", "3.2", "4.3"]
    assert page.evaluate("document.activeElement.textContent") == "4"
    assert places(submitted(site, page, "rank")) == [[1], [4], [2], [3]]


def middle(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, chip, selector):
    page.mouse.move(*middle(page, f".chip:text-is('{chip}')"))
    page.mouse.down()
    page.mouse.move(600, 600)
    page.mouse.move(*middle(page, selector), steps=4)
    page.mouse.up()


def test_responses_are_dragged_to_places_ties_and_back(desk):
    page = desk("rank")
    drag(page, 2, "[data-spot='gap 0']")
    drag(page, 4, "[data-spot='gap 0']")
    drag(page, 1, ".place >> nth=1")
    assert page.locator(".place").all_text_contents() == ["1.4", "2.21"]
    drag(page, 4, ".tray")
    assert page.locator(".place").all_text_contents() == ["1.21"]
    assert page.locator(".chip[aria-pressed=true]").count() == 0  # a drag is no click


def test_a_partial_ranking_of_eight_with_its_principle(site, desk):
    page = desk("partial")
    press(page, "8", "1", "5", "2", "Control+Enter")
    page.locator('[data-error="principles"]:not(:empty)').wait_for()
    press(page, "Shift+E", "2")
    row = submitted(site, page, "partial")
    assert (places(row), row["principles"], row["strength"]) == ([[8], [5]], ["short"], None)


def test_all_can_be_bad_and_ranking_again_takes_that_back(site, desk):
    page = desk("partial")
    press(page, "0")
    assert page.locator("[name=outcome]:checked").get_attribute("value") == "both_bad"
    press(page, "1", "1")
    assert page.locator("[name=outcome]:checked").count() == 0
    press(page, "0")
    assert submitted(site, page, "partial")["outcome"] == "both_bad"


def test_of_nine_the_digit_nine_is_the_ninth_and_two_noughts_say_it_cannot_be_judged(site, desk):
    page = desk("nine")
    press(page, "9", "1")
    assert page.locator(".place").all_text_contents() == ["1.9"]
    press(page, "0")
    assert page.locator("[name=outcome]:checked").get_attribute("value") == "both_bad"
    press(page, "0")
    page.keyboard.type("All are numbers.")
    row = submitted(site, page, "nine")
    assert (row["outcome"], row["reason"]) == ("cannot_judge", "All are numbers.")


def test_keys_of_one_response_go_to_the_one_in_hand(desk):
    page = desk("partial")
    press(page, "7", "Escape", "s", "ArrowRight", "1")
    assert page.locator(".response").nth(6).locator(".mark").count() == 1
    assert page.locator(".response").nth(6).evaluate("(e) => e.getBoundingClientRect().top < innerHeight - 200")


def test_one_response_is_rated_checked_measured_and_called_safe(site, desk):
    page = desk("single")
    assert page.locator("[data-winner]").count() == 0
    press(page, "r", "4", "y", "8", "0", "Enter", "q", "0")
    page.locator("[data-reason]").fill("says please")
    row = submitted(site, page, "single")
    (pk,) = row["shown_order"]
    assert (row["outcome"], row["ranking"]) == ("ranking", [[pk]])
    assert row["ratings"] == {str(pk): {"help": 4, "polite": 1, "share": 80}}
    assert (row["rationales"], row["safety"]) == ({str(pk): {"polite": "says please"}}, {str(pk): {}})


def test_silence_about_one_response_is_refused_and_harm_has_a_severity(site, desk):
    page = desk("single")
    press(page, "r", "5", "r", "Shift+Tab")
    page.locator("[data-criterion=help] input").nth(4).focus()
    press(page, "Delete", "Control+Enter")
    page.locator('[data-error="outcome"]:not(:empty)').wait_for()
    press(page, "q", "2", "2", "1")
    row = submitted(site, page, "single")
    assert row["safety"] == {str(row["shown_order"][0]): {"hate": 1, "crime": 2}}
    assert row["ratings"] == {}


def test_from_the_harm_of_one_response_keys_lead_on_to_the_other_and_to_the_answer(site, desk):
    page = desk("harm")
    press(page, "q", "2", "Shift+Q", "0")
    assert page.locator("#said").text_content() == "Safe."
    press(page, "2")
    row = submitted(site, page, "harm")
    left, right = map(str, row["shown_order"])
    assert row["safety"] == {left: {"crime": 1}, right: {}}
    assert (row["ranking"], row["strength"]) == ([[int(left)], [int(right)]], 2)


def test_what_a_digit_rated_is_read_aloud_though_focus_goes_on(desk):
    page, heard = desk("single"), []
    for key in ("r", "1", "y"):
        press(page, key)
        heard.append(page.locator("#said").text_content())
    assert heard == ["", "Help: 1, useless.", "Polite: yes."]


def test_the_words_of_a_level_are_shown_and_a_rating_is_taken_back(desk):
    page = desk("single")
    line = page.locator("[data-criterion=help]")
    assert line.locator(".anchors").text_content() == "1 useless · 5 all I needed"
    line.locator("label").nth(4).click()
    assert line.locator(".anchors").text_content() == "5: all I needed"
    line.locator("label").nth(4).click()
    assert line.locator(":checked").count() == 0
    press(page, "3")
    page.locator("[data-criterion=help] :checked").focus()
    press(page, "0")
    assert line.locator(":checked").count() == 0


def test_steps_and_turns_are_labelled_by_keyboard(site, desk):
    page = desk("each")
    press(page, "Shift+D", "+", "0", "-")
    assert page.locator(".response").first.locator("[data-label]").evaluate_all("a => a.map(e => e.dataset.label)") == [
        "1", "0", "-1",
    ]  # fmt: skip
    assert page.locator(".badge", has_text="thought").count() == 2
    assert page.evaluate("CSS.highlights.get('step-good').size") >= 1
    press(page, "Shift+D", "-", "ArrowUp", "Delete", "+")  # the right one now, which is not done
    page.locator("[data-turn] .label").nth(2).click()
    page.locator("[data-turn] input").fill("kind")
    press(page, "Escape", "4")
    row = submitted(site, page, "each")
    left, right = map(str, row["shown_order"])
    assert row["steps"] == {left: [1, 0, -1], right: [1, None, None]}
    assert row["turns"] == {"1": {"label": 1, "note": "kind"}}


def test_the_first_error_says_all_that_is_before_it(site, desk):
    page = desk("first")
    press(page, "Shift+D", "+")
    assert page.get_by_role("button", name="No error").get_attribute("aria-pressed") == "true"
    press(page, "ArrowDown", "-")
    row = submitted(site, page, "first")
    assert list(row["steps"].values()) == [[1, -1, None]]


def test_a_better_response_begins_from_the_old_one_and_shows_what_changed(site, desk):
    page = desk("write")
    side, keys = ("left", "w") if page.locator(".response").first.inner_text().count("two") else ("right", "Shift+W")
    press(page, keys, "Control+End")
    page.keyboard.type(" more")
    panel = page.locator(".rewrite:visible")
    panel.get_by_role("button", name="What changed").click()
    assert panel.locator("ins").all_text_contents() == [" more"]
    assert panel.locator("del").count() == 0
    page.locator("[name=demonstration]").fill("my own")
    press(page, "Escape", "4")
    row = submitted(site, page, "write")
    assert row["corrections"] == {str(row["shown_order"][side == "right"]): "one two three more"}
    assert row["demonstration"] == "my own"


def test_without_a_response_the_rater_writes_one(site, desk):
    page = desk("own")
    press(page, "Control+Enter")
    page.locator("[data-error]:not(:empty)").first.wait_for()
    page.locator("[name=demonstration]").fill("In Paris.")
    row = submitted(site, page, "own")
    assert (row["demonstration"], row["outcome"], row["ranking"]) == ("In Paris.", "ranking", [])


@pytest.mark.parametrize("slug", ["rank", "partial", "single", "each", "first", "write", "own"])
def test_no_shape_scrolls_sideways_and_nothing_is_out_of_the_window(desk, slug):
    page = desk(slug)
    for width in (1280, 1024, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(WIDE) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.locator("#submit").evaluate("(e) => e.getBoundingClientRect().bottom <= innerHeight")
    assert page.locator(".body, .own-answer").first.evaluate("(e) => e.clientHeight") >= 90


@pytest.fixture(scope="module")
def judge(shapes, chromium):
    """Alice's tab."""
    context = chromium.new_context(viewport=SIZE)
    context.add_cookies([{"name": "sessionid", "value": shapes.alice, "url": shapes.url}])
    yield context.new_page()
    context.close()


@pytest.fixture
def decide(shapes, database, judge):
    """decide(slug) is Alice before her own decision on a task of that project."""

    def go(slug):
        task = "SELECT max(t.id) FROM annotate_task t JOIN annotate_project p ON p.id = t.project_id WHERE p.slug = ?"
        with sqlite3.connect(shapes.folder / "touchstone.sqlite3") as database:
            judge.goto(f"{shapes.url}/p/{slug}/review/{database.execute(task, [slug]).fetchone()[0]}/")
        judge.click("text=Decide it")
        return ready(judge)

    return go


SHAPES = {
    "rank": (["3", "1", "1", "2", "2", "3", "4", "4"], {"ranking": 4}),
    "single": (["r", "4", "y", "8", "0", "Enter", "q", "0"], {"ratings": 1, "safety": 1}),
    "harm": (["q", "2", "Shift+Q", "0", "2"], {"ranking": 2, "safety": 2, "strength": 2}),
    "each": (["Shift+D", "+", "0", "-", "Escape", "4"], {"steps": 1, "outcome": "tie"}),
    "first": (["Shift+D", "+", "ArrowDown", "-"], {"steps": 1}),
    "write": (["w", "Escape", "7"], {"ranking": 2, "strength": 3}),
}


@pytest.mark.parametrize("slug", SHAPES)
def test_a_decision_has_every_shape_too(site, decide, slug):
    page, (keys, said) = decide(slug), SHAPES[slug]
    press(page, *keys)
    if page.locator("[data-reason]").count():
        page.locator("[data-reason]").first.fill("so it is")
    row = submitted(site, page, slug)
    assert (row["source"], row["kind"]) == ("adjudicated", "adjudication")
    for name, value in said.items():
        assert (len(row[name]) if name in JSONS else row[name]) == value


def test_texts_scroll_together_on_demand_each_by_its_share(desk):
    page = desk("rank")
    first, second = page.locator(".body").nth(0), page.locator(".body").nth(1)
    first.evaluate("(e) => e.scrollTo(0, e.scrollHeight)")
    assert second.evaluate("(e) => e.scrollTop") == 0
    press(page, "Shift+V")
    first.evaluate("(e) => e.scrollTo(0, e.scrollHeight / 3)")
    page.locator(".body").nth(1).evaluate("(e) => new Promise((done) => (e.scrollTop ? done() : (e.onscroll = done)))")
    share = "(e) => e.scrollTop / (e.scrollHeight - e.clientHeight)"
    assert second.evaluate(share) == pytest.approx(first.evaluate(share), abs=0.02)


def test_many_marks_scroll_by_themselves_and_leave_the_text_its_room(desk):
    page = desk("partial")
    before = page.locator(".body").first.evaluate("(e) => e.clientHeight")
    press(page, "s", *["ArrowRight", "1"] * 12)
    assert page.locator(".response").first.locator(".mark").count() == 12
    assert page.locator(".body").first.evaluate("(e) => e.clientHeight") >= before / 2 - 1


def test_the_prompt_is_made_higher_and_folded_by_keyboard(desk):
    page = desk("rank")
    high = lambda: page.locator("#prompt").evaluate("(e) => e.clientHeight")  # noqa: E731
    start, bar = high(), page.get_by_role("separator")
    bar.focus()
    press(page, "ArrowUp", "ArrowUp")
    assert high() < start
    press(page, "Enter")
    assert bar.get_attribute("aria-valuenow") == "6"
    page.reload()
    ready(page)
    assert page.get_by_role("separator").get_attribute("aria-valuenow") == "6"  # kept in this browser
