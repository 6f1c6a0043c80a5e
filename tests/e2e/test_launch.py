"""The launch form in a real browser beside a real worker: options by trainer, formula, forecast; its job."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.workshop import SIGN_IN, sign_in

pytestmark = pytest.mark.e2e
SETUP = """
from tests.worker.conftest import jsonl, row
from annotate.models import User
from annotate.services.item import import_items
from annotate.services.project import create_project
alice = User.objects.create_user("alice")
project = create_project(slug="live", name="Live", actor=alice)
import_items(project=project, file=jsonl(*map(row, range(40))), format="jsonl")
"""


@pytest.fixture(scope="module")
def site(workshop):
    workshop.session = workshop.run(SETUP + SIGN_IN).strip()
    return workshop


@pytest.fixture
def form(site, page):
    sign_in(page, site, site.session)
    page.goto(site.url + "/p/live/train/")
    return page


def test_the_trainer_decides_what_is_asked(form):
    form.get_by_label("Longest text").fill("99")
    expect(form.get_by_label("Epochs")).to_have_count(0)
    form.locator("[name=name][value=lora]").check()
    expect(form.get_by_label("Epochs")).to_be_visible()
    expect(form.get_by_label("Rank")).to_be_visible()
    expect(form.get_by_label("Longest text")).to_have_value("99")
    form.locator("[name=name][value=full]").check()
    expect(form.get_by_label("Rank")).to_have_count(0)


def test_the_formula_follows_the_objective(form):
    formula = form.get_by_role("group", name="Formula of the objective")
    expect(formula).to_contain_text("Rao & Kupper")
    form.get_by_label("Objective", exact=True).select_option("davidson")
    expect(formula).to_contain_text("Davidson 1970")
    expect(formula.locator("math").first).to_be_visible()


def test_a_worker_counts_the_tokens(form):
    forecast = form.locator("#forecast")
    expect(forecast).to_contain_text("estimated")
    form.get_by_role("button", name="Count exactly").click()
    expect(forecast).to_contain_text("Tokens were counted by a worker", timeout=90_000)


def test_a_wrong_value_is_told_beside_its_field(form):
    form.locator("[name=name][value=lora]").check()
    form.get_by_label("Epochs").fill("many")
    form.get_by_role("button", name="Freeze and train").click()
    expect(form.locator(".field:has([name='tuning.epochs']) .errorlist")).to_contain_text("valid integer")


def test_a_launch_leads_to_a_curve_an_accuracy_and_a_clone(form):
    form.get_by_label("Order effect").select_option("none")
    form.get_by_role("button", name="Freeze and train").click()
    form.wait_for_url("**/jobs/*/")
    expect(form.locator("#curve")).to_have_attribute("data-points", re.compile("."), timeout=90_000)
    expect(form.locator("#status .badge")).to_have_text("done", timeout=90_000)
    expect(form.locator("#status")).to_contain_text("held-out pairs (95 % interval")
    expect(form.locator("#says")).to_contain_text("On held-out pairs: ")
    form.get_by_role("link", name="Clone and change").click()
    expect(form.get_by_label("Order effect")).to_have_value("none")


def test_the_queue_shows_the_worker(site, form):
    form.goto(site.url + "/p/live/queue/")
    expect(form.locator("#now")).to_contain_text(re.compile("cpu, gpu"), timeout=30_000)


def test_a_sweep_says_how_many_runs_it_makes(site, form):
    form.goto(site.url + "/p/live/sweeps/new/")
    form.get_by_label("Value 1").select_option("heads.folds")
    form.get_by_label("Try").first.fill("3, 5")
    expect(form.locator("#runs")).to_contain_text("2 runs")
    form.locator("[name=name][value=lora]").check()
    expect(form.locator("#axes option[value='tuning.learning_rate']").first).to_be_attached()
    form.get_by_label("Value 1").select_option("tuning.learning_rate")
    form.get_by_label("Try").first.fill("1e-5, 3e-5, x")
    expect(form.locator("#runs")).to_contain_text("valid number")
