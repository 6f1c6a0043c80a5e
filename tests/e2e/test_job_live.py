"""The job page in a real browser, beside a real worker: the curve moves over the socket, and by polling without one."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.e2e.workshop import SIGN_IN, sign_in

pytestmark = pytest.mark.e2e
SETUP = """
from annotate.models import User
from annotate.services.project import create_project
alice = User.objects.get(username="alice")
create_project(slug="live", name="Live", actor=alice)
"""
LAUNCH = """
from annotate.models import Project
from worker.services.job import launch
params = {{"do": "count", "steps": {steps}, "seconds": 0.05, "also": {also}, "hold": {hold}}}
print(launch(project=Project.objects.get(slug="live"), kind="train", params=params, queue="{queue}").pk)
"""
NO_SOCKET = "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.({}), 0); } };"


@pytest.fixture(scope="module")
def live(site):
    """The site with a worker whose jobs only count, on a queue of its own, and with Alice signed in."""
    site.queue = site.environment["TEST_QUEUE"] = f"t{uuid4().hex[:8]}"
    worker = ["-A", "tests.worker.app", "worker", "-Q", site.queue, "-c", "1", "-n", site.queue, "--loglevel", "ERROR"]
    process = site.start("-m", "celery", *worker)
    site.alice = site.run(SETUP + SIGN_IN).strip()
    yield site
    process.terminate()
    site.end(process)


@pytest.fixture
def signed_in(live, page):
    """With the charts at hand before the job begins."""
    sign_in(page, live, live.alice).goto(f"{live.url}/p/live/jobs/")
    return page


def open_job(site, page, steps, hold=None, **also):
    """Its number. Before step `hold` it waits for `let_go`."""
    pk = int(site.run(LAUNCH.format(steps=steps, queue=site.queue, also=also, hold=hold)).split()[-1])
    page.goto(f"{site.url}/p/live/jobs/{pk}/")
    return pk


def let_go(site, pk):
    (site.folder / f"go-{pk}").touch()


def points(page, count):
    """Wait until the curve has as many points as the pattern says."""
    expect(page.locator("#curve")).to_have_attribute("data-points", re.compile(count), timeout=60_000)


@pytest.mark.parametrize(("script", "link"), [("", "live"), (NO_SOCKET, "polling")], ids=["socket", "polling"])
def test_the_curve_moves_until_the_end(live, signed_in, script, link):
    signed_in.add_init_script(script)
    pk = open_job(live, signed_in, 100, hold=50)
    points(signed_in, "^([4-9]|[1-5][0-9])$")
    expect(signed_in.locator("#job")).to_have_attribute("data-link", link)
    let_go(live, pk)
    points(signed_in, "^100$")
    expect(signed_in.locator("#status .badge")).to_have_text("done")
    expect(signed_in.locator("#log li").last).to_have_text("done")
    numbers = signed_in.locator("#log li").evaluate_all("lines => lines.map(line => line.value)")
    assert numbers == sorted(set(numbers))


def test_speed_padding_memory_and_the_held_out_interval_are_live(live, signed_in):
    costs = {"tokens_per_second": 5210.0, "padding": 0.062, "memory_mb": 1900.0}
    open_job(live, signed_in, 20, held_out_accuracy=0.5, held_out_pairs=10, **costs)
    points(signed_in, "^20$")
    for said in ("useful tokens a second", "5,210", "padding", "6.2 %", "memory", "1,900"):
        expect(signed_in.locator("#figures")).to_contain_text(said)
    expect(signed_in.locator("#speed")).to_have_attribute("data-points", "20")
    expect(signed_in.locator("#says")).to_contain_text("50.0 % (95 % interval 23.7 % to 76.3 %)")


def test_cancel_stops_it_and_offers_a_retry(live, signed_in):
    open_job(live, signed_in, 10_000)
    points(signed_in, ".")
    signed_in.click("text=Cancel the job")
    expect(signed_in.get_by_role("button", name="Retry")).to_be_visible(timeout=30_000)
    expect(signed_in.locator("#status .badge").first).to_have_text("cancelled")
