"""The inspector in a real browser: charts are drawn in both themes, and an explanation arrives by itself."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from annotate.models import Role
from annotate.services.project import add_member, create_project
from tests.inspector.making import explain, judge, make_item, make_pool, make_version, mark, score
from worker.models import Edit, EditAttribution, Job

COPIED = """box => {
    getSelection().selectAllChildren(box);
    const clipboardData = new DataTransfer();
    box.dispatchEvent(new ClipboardEvent("copy", { clipboardData, bubbles: true }));
    return clipboardData.getData("text/plain");
}"""
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
WATCHED = """() => {
    window.changed = 0;
    const count = (changes) => (window.changed += changes.length);
    const all = { subtree: true, childList: true, attributes: true, characterData: true };
    new MutationObserver(count).observe(document.body, all);
}"""
pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def version(person):
    project = create_project(slug="rivers", name="Rivers")
    add_member(project=project, user=person("rita"), role=Role.RESEARCHER)
    return make_version(project)


@pytest.fixture
def oder(version):
    item = make_item(version.project, "Where does the Oder end?", "In the Baltic Sea.", "In the <North> Sea 😀.")
    a, b = item.responses.all()
    score(version, {a: 0.0, b: 1.0})
    mark(judge(item, [[a], [b]]), b, "<North>")
    return item


@pytest.fixture
def visit(page, live_server, version, client_of, django_user_model):
    """Rita, signed in, opens a room of the version."""
    session = client_of(django_user_model.objects.get(username="rita")).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    def open_room(name):
        page.goto(live_server.url + reverse(f"inspector:{name}", args=["rivers", 1]))
        return page

    return open_room


def test_charts_are_drawn_and_follow_the_theme(visit, version, oder):
    make_pool(version.project, version, {"p": [(float(i), float(-abs(i - 6))) for i in range(16)]})
    page = visit("drift")
    page.wait_for_selector(".chart[data-drawn] .scatterlayer .trace")
    ink = "() => getComputedStyle(document.querySelector('.chart .xtick text')).fill"
    light = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => ({ink})() !== before", arg=light)
    page = visit("length")
    page.wait_for_selector(".chart[data-drawn] .scatterlayer .point")
    assert page.locator(".chart .scatterlayer .trace").first.locator(".point").count() == 2


@pytest.mark.parametrize(("format", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_a_chart_is_saved_as_a_picture_by_keyboard(visit, oder, format, start):
    page = visit("length")
    page.wait_for_selector(".chart[data-drawn]")
    page.get_by_role("button", name=f"{format} of this chart: figure").focus()
    with page.expect_download() as saving:
        page.keyboard.press("Enter")
    assert saving.value.suggested_filename == f"length-version-1-rivers-figure.{format.lower()}"
    picture = saving.value.path().read_bytes()
    assert picture.startswith(start)
    assert len(picture) > 5000


def test_an_explanation_arrives_by_itself_and_is_read_by_keyboard(visit, version, oder):
    page = visit("heatmap")
    page.wait_for_selector("text=Waiting for a worker")
    assert Job.objects.get().params["methods"] == ["exact"]
    for response in oder.responses.all():
        explain(version, response, North=-0.4)
    page.wait_for_selector(".heat")
    second = page.locator(".heat").nth(1)
    assert second.inner_text() == oder.responses.last().text
    second.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert page.locator("#told").inner_text().startswith("B “North” −0.4000 · ")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator("#pinned span").inner_text() == "2 pinned, sum −0.3000: B “North” −0.4000, B “>” +0.1000"
    page.keyboard.press("Escape")
    assert page.locator("#pinned").is_hidden()


@pytest.fixture
def heat(visit, version, oder):
    """The map of a pair whose second response says North, which costs it."""
    for response in oder.responses.all():
        explain(version, response, North=-0.4, Sea=0.05)
    return visit("heatmap")


def test_parts_are_pointed_at_pinned_grouped_hidden_and_copied(heat, oder):
    north = heat.locator(".heat .piece", has_text="North")
    north.hover()
    assert heat.locator("#tip").inner_text().startswith("B “North” −0.4000 · ")
    north.click()
    heat.locator(".heat .piece", has_text="Sea").last.click()
    assert "sum −0.3500" in heat.locator("#pinned").inner_text()
    heat.select_option("[name=group]", "sentence")
    heat.evaluate(PAINTED)
    heat.locator(".heat").last.focus()
    heat.keyboard.press("ArrowRight")
    assert heat.locator("#told").inner_text().startswith("B “In the <North> Sea 😀.” +0.2500")
    heat.select_option("[name=group]", "word")
    heat.locator("[name=level]").fill("60")
    expect(heat.locator(".heat .piece:not(.weak)")).to_have_text(["North"])
    assert "group=word" in heat.url
    assert "level=60" in heat.url
    heat.reload()
    expect(heat.locator(".heat .piece:not(.weak)")).to_have_count(1)
    assert heat.locator(".heat").last.evaluate(COPIED) == oder.responses.last().text


def test_the_map_is_kept_as_a_picture_and_its_colours_follow_the_theme(heat):
    ground = "() => getComputedStyle(document.querySelector('.heat .strong.down')).backgroundColor"
    light = heat.evaluate(ground)
    heat.emulate_media(color_scheme="dark")
    heat.wait_for_function(f"before => ({ground})() !== before", arg=light)
    with heat.expect_download() as picture:
        heat.click("[data-picture=svg]")
    drawn = picture.value.path().read_text()
    assert heat.evaluate(ground) in drawn
    assert "&lt;North" in drawn or "North</text>" in drawn
    with heat.expect_download() as picture:
        heat.click("[data-picture=png]")
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")


def test_a_response_is_edited_in_place_and_its_edit_arrives(heat, version, oder):
    response = oder.responses.last()
    heat.locator("article").last.get_by_text("Edit this text").click()
    field = heat.locator("textarea:visible")
    assert field.input_value() == response.text
    heat.keyboard.press("Escape")
    assert heat.locator(".heat").last.is_visible()
    heat.keyboard.press("Enter")
    field.fill("In the Baltic Sea 😀.")
    heat.keyboard.press("Control+Enter")
    heat.wait_for_selector("text=Waiting for a worker")
    edit = Edit.objects.get()
    token = {"text": "Baltic", "start": 7, "end": 13, "part": "response", "value": 1.0}
    books = {"baseline": 0.5, "residual": 0.0, "score": 1.5}
    EditAttribution.objects.create(edit=edit, head="preference", method="exact", tokens=[token], **books)
    Edit.objects.update(scores={"preference": 1.5})
    heat.wait_for_selector("#changes")
    assert heat.locator(".heat").last.inner_text() == "In the Baltic Sea 😀."
    assert heat.locator("#changes").get_by_text("+0.5000").count() == 1


def counted(session):
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


@pytest.fixture
def long(visit, version, oder):
    """The map of 4,000 tokens."""
    oder.responses.filter(index=0).update(text=" ".join(f"word{n}" for n in range(4000)))
    for response in oder.responses.all():
        explain(version, response, word7=-0.4)
    return visit("heatmap")


def test_four_thousand_tokens_are_walked_grouped_and_hidden(long, oder):
    box = long.locator(".heat").first
    assert box.locator(".piece").count() == 4000
    assert box.evaluate("box => box.textContent") == oder.responses.first().text
    long.select_option("[name=group]", "word")
    long.locator("[name=level]").fill("50")
    expect(long.locator(".heat .piece:not(.weak)")).to_have_text(["word7"])


def test_scrolling_four_thousand_tokens_only_scrolls(long):
    """No part of the page is touched or laid out anew, whichever token passes under the pointer."""
    long.locator(".heat .piece").first.hover()
    long.evaluate(WATCHED)
    session = long.context.new_cdp_session(long)
    session.send("Performance.enable")
    before = counted(session)
    for _ in range(20):
        long.mouse.wheel(0, 300)
        long.evaluate("new Promise(requestAnimationFrame)")
    long.wait_for_function("scrollY >= 3000")
    assert long.evaluate("window.changed") <= 12 * 20  # the outline, the tip and the line that tell of another token
    assert counted(session)["Nodes"] - before["Nodes"] < 100
    assert counted(session)["LayoutCount"] - before["LayoutCount"] <= 4 * 20
