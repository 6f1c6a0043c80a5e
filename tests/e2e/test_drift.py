"""The drift page in a real browser: every curve is drawn, the slower parts arrive by themselves, a file is added."""

import numpy as np
import pytest

from annotate.models import Role
from annotate.services.project import add_member, create_project
from tests.inspector.drift.test_page import columns_pool, ensemble, rollouts
from tests.inspector.making import make_version
from worker.services.columns import keep_columns

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
MAIN = '[data-figure="figure"][data-drawn] .scatterlayer .trace'
SIDE = '[data-figure="side"][data-drawn] .scatterlayer .trace'


@pytest.fixture
def version(person):
    project = create_project(slug="rivers", name="Rivers")
    add_member(project=project, user=person("alice"), role=Role.ADMIN)
    before, version = make_version(project), make_version(project, 2)
    pool = columns_pool(project, version, **ensemble())
    scores = np.random.default_rng(9).normal(size=pool.size)
    keep_columns(pool=pool, version=before, columns={"preference": scores})
    return version


@pytest.fixture
def visit(page, live_server, version, client_of, django_user_model):
    """Alice, signed in, opens an address."""
    session = client_of(django_user_model.objects.get(username="alice")).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    def open_page(path):
        page.goto(live_server.url + path)
        return page

    return open_page


def test_curves_fits_and_variance_are_drawn_and_the_slower_parts_arrive(visit):
    page = visit("/p/rivers/versions/2/drift/")
    page.wait_for_selector(MAIN)
    assert page.locator('[data-figure="figure"] .scatterlayer .point').count() == 3 * 12  # proxy, gold, variance
    assert page.locator('[data-figure="figure"] .scatterlayer .js-line').count() >= 6
    assert page.locator('[data-figure="figure"] .shapelayer path').count() == 3
    assert page.locator('[data-figure="residuals"] .scatterlayer .point').count() == 2 * 12
    page.wait_for_selector(SIDE)
    assert page.locator('[data-figure="side"] .scatterlayer .trace').count() == 5
    page.wait_for_selector("#moved table")
    assert "Gold turns over" in page.inner_text("#says")


def test_another_proxy_is_chosen_and_stays_in_the_link(visit):
    page = visit("/p/rivers/versions/2/drift/")
    page.select_option("#proxy", "rule:wco")
    page.click("text=Show")
    page.wait_for_selector(MAIN)
    assert "proxy=rule%3Awco" in page.url
    assert page.input_value("#proxy") == "rule:wco"


def test_rollouts_are_added_by_hand_and_drawn_over_their_steps(visit):
    page = visit("/p/rivers/pools/import/")
    page.select_option("[name=kind]", "run")
    page.fill("[name=name]", "ppo")
    file = {"name": "run.csv", "mimeType": "text/csv", "buffer": rollouts().getvalue()}
    page.set_input_files("[name=file]", file)
    page.click("main button.primary")
    page.wait_for_selector(MAIN)
    page.select_option("#x", "step")
    page.click("text=Show")
    page.wait_for_selector(MAIN)
    assert page.locator('[data-figure="figure"] .scatterlayer .point').count() == 2 * 9
