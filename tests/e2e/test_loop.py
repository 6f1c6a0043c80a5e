"""The whole loop, once, in a real browser with a real worker; the database is read back at each step.

Judge three tasks by keyboard alone, launch a retrain, watch the curve move over the WebSocket, open the heat-map of
the new version, then length, then drift.
"""

import json
import re
import sqlite3

import pytest

pytestmark = pytest.mark.e2e
MINUTES = 180_000  # ms; a bound for a worker that hangs, not a promise of speed
SEED = """
import json
from annotate.world import make_world
from worker.services.demo import create_demo
print(json.dumps(create_demo(make_world(questions=48, pool=6, candidates=16, open_pairs=40))["accounts"]))
"""


@pytest.fixture(scope="module")
def site(workshop):
    """A small known world; the training job that comes with it is done by the worker meanwhile."""
    workshop.passwords = json.loads(workshop.run(SEED))
    return workshop


def rows(site, query, *values):
    """The server's own file, read past the server."""
    connection = sqlite3.connect(site.folder / "touchstone.sqlite3")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def sign_in(page, site, name):
    page.goto(f"{site.url}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", site.passwords[name])
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)


def judge(page, verdict):
    """Mark the first word of the left response, check the right one, rate, answer, submit: no mouse."""
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("s")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    for key in ("N", "r", "2", "3", "2", "R", "4", "4", "5", verdict):
        page.keyboard.press(key)
    old = page.url
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: url != old)


def check_judgements(site):
    """Three whole records by the annotator, each span's quote cut from the raw text it is bound to."""
    mine = rows(site, "SELECT id, outcome, shown_order, texts_sha256 FROM annotate_judgement WHERE source = 'human'")
    assert [outcome for _, outcome, _, _ in mine] == ["ranking", "tie", "ranking"]
    query = """SELECT s.start, s.end, s.quote, r.text, r.id, r.sha256 FROM annotate_span s
               JOIN annotate_response r ON r.id = s.response_id WHERE s.judgement_id = ?"""
    for pk, _, shown, hashes in mine:
        ((start, end, quote, text, response, sha256),) = rows(site, query, pk)
        assert quote == text[start:end]
        assert response == json.loads(shown)[0]
        assert json.loads(hashes)[str(response)] == sha256
    return [pk for pk, *_ in mine]


def launch(page, site):
    """From the form to the live page of the job; its number."""
    page.goto(f"{site.url}/p/demo/train/")
    page.get_by_role("button", name="Freeze and train").click()
    page.wait_for_url("**/jobs/*/")
    return int(page.url.rstrip("/").split("/")[-1])


def check_curve(page, site, job):
    """Points came over the socket while the page stood open, and none was missed or doubled."""
    page.wait_for_selector('#job[data-link="live"]', timeout=MINUTES)
    page.wait_for_selector("#curve[data-points]", timeout=MINUTES)
    page.get_by_role("link", name=re.compile("Open version")).wait_for(timeout=MINUTES)
    events = rows(site, "SELECT number, kind, data FROM worker_jobevent WHERE job_id = ? ORDER BY number", job)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    losses = [json.loads(data) for _, kind, data in events if kind == "metric"]
    assert int(page.locator("#curve").get_attribute("data-points")) == len([p for p in losses if "loss" in p]) > 3
    assert page.locator("#log li").count() == len(
        set(page.locator("#log li").evaluate_all("all => all.map(x => x.value)"))
    )


def check_version(site, job, judgements):
    """The version names a snapshot that holds the three judgements made above."""
    ((version, number, snapshot, metrics),) = rows(
        site, "SELECT id, number, snapshot_id, metrics FROM worker_version WHERE trained_by_id = ?", job
    )
    marks = ",".join("?" * len(judgements))
    query = f"SELECT count(*) FROM worker_snapshotrow WHERE snapshot_id = ? AND judgement_id IN ({marks})"
    assert rows(site, query, snapshot, *judgements) == [(3,)]
    accuracy = json.loads(metrics)["pair_accuracy"]
    assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
    return version, number


def check_heatmap(page, site, version):
    """The tokens on screen are those in the row, and what is added up is the score."""
    page.get_by_role("link", name=re.compile("Why this score")).click()
    page.wait_for_selector("#map .heat", timeout=MINUTES)
    row = """SELECT response_id, tokens, features, baseline, residual, score FROM worker_attribution
             WHERE version_id = ? AND head = 'preference' AND method = 'exact'"""
    for _, tokens, features, baseline, residual, score in rows(site, row, version):
        total = baseline + sum(json.loads(features).values()) + sum(t["value"] for t in json.loads(tokens))
        assert total + residual == pytest.approx(score, abs=1e-4)
        assert abs(residual) < 1e-3
    assert page.locator("#map .piece[data-t]").count() > 10
    assert page.locator("#map .sum").count() == 3  # of each response and of the margin
    page.locator("select[name=method]").select_option("ig")
    page.wait_for_url(re.compile("method=ig"))
    page.wait_for_selector("#map .heat", timeout=MINUTES)
    assert rows(site, row.replace("exact", "ig"), version)


def wait_scored(page, site, version):
    """The scoring job that follows a training by itself."""
    state = "SELECT state FROM worker_job WHERE kind = 'score' AND version_id = ? ORDER BY id DESC LIMIT 1"
    site.wait_until(lambda: rows(site, state, version) == [("done",)], 180)
    responses = """SELECT count(*) FROM annotate_response r JOIN annotate_item i ON i.id = r.item_id
                   JOIN annotate_project p ON p.id = i.project_id WHERE p.slug = 'demo'"""
    scored = "SELECT count(*) FROM worker_score WHERE version_id = ? AND head = 'preference'"
    assert rows(site, scored, version) == rows(site, responses)


def test_the_whole_loop(site, page, chromium):
    sign_in(page, site, "annotator")
    page.goto(f"{site.url}/p/demo/judge/")
    for verdict in ("2", "4", "6"):
        judge(page, verdict)
    judgements = check_judgements(site)

    page.context.clear_cookies()
    sign_in(page, site, "admin")
    job = launch(page, site)
    check_curve(page, site, job)
    version, number = check_version(site, job, judgements)

    page.get_by_role("link", name=re.compile("Open version")).click()
    check_heatmap(page, site, version)
    wait_scored(page, site, version)
    for name in ("length", "drift"):
        page.goto(f"{site.url}/p/demo/versions/{number}/{name}/")
        page.wait_for_selector(".chart .main-svg")
        assert page.locator(".says").first.inner_text().strip()
