"""Pages that measure, in a real browser: charts drawn in both themes, nothing that axe or the console complains of."""

import numpy as np
import pytest

from annotate.models import Role
from annotate.services.project import add_member, create_project
from tests.e2e.axe import violations_in
from tests.inspector.held_out import drawn, give, make_pairs, say
from tests.inspector.making import make_pool, make_version
from tests.worker.conftest import jsonl
from tests.worker.test_suite import REWARD_BENCH, scored
from worker.services.suite import import_suite

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
PROMPTS = 40
DRAWN = {  # address → chart → the least number of points, or of lines, that it shows
    "versions/2/calibration/": {"figure": 5, "selective-figure": 1},
    "versions/2/changed/?against=1": {"scores-figure": 2 * PROMPTS},
    "versions/2/slices/": {"figure": 4},
    "versions/2/raters/": {"figure": 4},
    "versions/2/report/": {"figure-length": 2 * PROMPTS, "figure-calibration": 5},
    "leaderboard/": {"figure": 2},
    "versions/2/best-of-n/": {"figure": 5},
    "agreement/raters/": {"figure": 4},
}
OVERLAP = """() => [...document.querySelectorAll(".chart")].flatMap((chart) => {
    const boxes = [...chart.querySelectorAll(".ytick text")].map((text) => text.getBoundingClientRect());
    return boxes.filter((one) => boxes.some((other) => other.top > one.top && other.top < one.bottom - 2));
}).length"""


@pytest.fixture
def world(person):
    """Two versions on a suite and on forty held-out pairs, which Bob and Charlie saw every other time turned round."""
    project, rng = create_project(slug="rivers", name="Rivers"), np.random.default_rng(0)
    add_member(project=project, user=person("rita"), role=Role.RESEARCHER)
    pairs, margins = make_pairs(project, PROMPTS), np.linspace(-3, 3, PROMPTS)
    suite = import_suite(project=project, name="core", file=jsonl(*REWARD_BENCH), format="reward-bench")
    for number, right in ((1, (1, 1, 0, 0, 1, 1)), (2, (1, 1, 1, 0, 1, 1))):
        version = make_version(project, number)
        give(version, pairs, margins + rng.normal(0, 0.5, PROMPTS))
        scored(version, suite, *right)
    make_pool(project, version, {"p": [(float(i), float(-abs(i - 3))) for i in range(6)]})
    turned = np.arange(PROMPTS) % 2 == 0
    shown = np.where(turned[:, None], pairs[:, ::-1], pairs)
    for seed, rater in enumerate(("Bob", "Charlie")):
        say(project, shown, np.abs(turned - drawn(margins, seed=seed)), rater)
    return project


@pytest.fixture
def visit(page, live_server, world, client_of, django_user_model):
    """Rita, signed in, opens an address of the project; what the console complains of is kept in `page.said`."""
    session = client_of(django_user_model.objects.get(username="rita")).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.said = []
    page.on("console", lambda one: one.type == "error" and page.said.append(one.text))

    def open_page(path):
        page.goto(f"{live_server.url}/p/rivers/{path}")
        return page

    return open_page


def points(page, chart):
    box = f'.chart[data-figure="{chart}"][data-drawn]'
    page.wait_for_selector(box)
    return page.locator(f"{box} .point").count() or page.locator(f"{box} .scatterlayer .js-line").count()


def test_every_page_draws_its_charts_without_a_complaint(visit, page):
    for path, charts in DRAWN.items():
        visit(path)
        for theme in ("light", "dark"):
            found = violations_in(theme, page, path)
            for chart, least in charts.items():
                assert points(page, chart) >= least, f"{path} {chart} {theme}"
            assert page.locator(".says").count() >= 1
            assert page.evaluate(OVERLAP) == 0, f"{path} {theme}"
            assert found == []
    assert page.said == []


def test_a_copied_link_holds_what_the_page_chose_by_itself(visit, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit("versions/2/changed/?kind=worse")
    page.get_by_role("button", name="Copy the link").click()
    page.get_by_text("Copied.").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("/p/rivers/versions/2/changed/?kind=worse&against=1")


def test_paper_is_light_and_without_what_is_clicked(visit, page):
    page.emulate_media(color_scheme="dark")
    visit("versions/2/report/")
    points(page, "figure-length")
    ink = "() => getComputedStyle(document.querySelector('.chart .xtick text')).fill"
    dark = page.evaluate(ink)
    page.emulate_media(color_scheme="dark", media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(f"before => ({ink})() !== before", arg=dark)
    for hidden in (".top", ".rooms", ".share", ".saves", ".only-screen"):
        assert page.locator(hidden).first.is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= 1280")
    assert page.locator(".chart .main-svg").first.bounding_box()["width"] == 680
    page.emulate_media(color_scheme="dark", media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(f"before => ({ink})() === before", arg=dark)


def test_the_temperature_is_toggled_in_place_and_stays_in_the_link(visit, page):
    visit("versions/2/calibration/")
    before = page.text_content("#bins")
    page.select_option("#t", "fitted")
    page.wait_for_selector("text=Fitted on the verdicts")
    assert points(page, "figure") >= 5
    assert page.text_content("#bins") != before
    assert "t=fitted" in page.url
    page.reload()
    assert page.input_value("#t") == "fitted"
