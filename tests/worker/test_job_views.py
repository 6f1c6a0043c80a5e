"""Jobs, training and versions in the browser. Roles and foreign objects: tests/test_permissions.py."""

import json
import re

import pytest

from annotate.models import Role
from annotate.services.event import record
from annotate.services.project import add_member
from tests.inspector.making import make_version
from worker.jobs import JOBS
from worker.models import Job, Version
from worker.models.job import JobState
from worker.progress import Progress
from worker.services.claim import claim
from worker.services.job import cancel, launch, run_now
from worker.services.node import beat
from worker.services.repeat import work_folder
from worker.services.version import archive, promote, resolve
from worker.store import artifacts

JOBS_URL, VERSIONS = "/p/answers/jobs/", "/p/answers/versions/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(client_of, alice):
    return client_of(alice)


@pytest.fixture
def job(project, alice):
    return launch(project=project, kind="train", params={"do": "fail", "error": "ValueError"}, actor=alice)


def page_of(browser, url):
    return browser.get(url).content.decode()


def test_without_jobs_the_page_says_what_to_do(browser, project):
    assert "No jobs yet" in page_of(browser, JOBS_URL)


def test_the_list_renews_itself_only_while_something_runs(browser, job):
    assert 'hx-trigger="every 2s"' in page_of(browser, JOBS_URL)
    cancel(job=job)
    assert "hx-trigger" not in page_of(browser, JOBS_URL)


def test_the_list_answers_htmx_with_its_rows(browser, job):
    rows = browser.get(JOBS_URL, headers=HTMX).content.decode()
    assert "<html" not in rows
    assert f"train {job.pk}" in rows


def test_the_page_of_a_running_job_shows_stage_log_and_points(browser, job):
    progress = Progress(claim(job.pk))
    progress.report("fit", 5, 10, {"loss": 0.5, "step": 5})
    progress.log("<b>hostile</b>")
    page = page_of(browser, f"{JOBS_URL}{job.pk}/")
    assert "5 of 10" in page
    assert "&lt;b&gt;hostile" in page
    points = json.loads(re.search(r'<script id="points"[^>]*>(.*?)</script>', page)[1])
    assert [(point["step"], point["loss"]) for point in points] == [(5, 0.5)]
    assert f'data-last="{job.events.count()}"' in page


def test_polling_gives_what_is_past_n(browser, job):
    Progress(claim(job.pk)).log("a line")
    payload = browser.get(f"{JOBS_URL}{job.pk}/events/?after=2").json()
    assert [event["text"] for event in payload["events"]] == ["a line"]
    assert (payload["last"], payload["ended"]) == (3, False)
    assert "running" in payload["status_html"]
    assert browser.get(f"{JOBS_URL}{job.pk}/events/?after=3").json()["events"] == []


@pytest.mark.parametrize("after", ["", "-1", "x", "9" * 5000, "²"])
def test_a_senseless_after_asks_for_everything(browser, job, after):
    assert len(browser.get(f"{JOBS_URL}{job.pk}/events/", {"after": after}).json()["events"]) == 1


def test_a_failure_shows_cause_and_advice_and_no_traceback(browser, job, monkeypatch):
    monkeypatch.setitem(JOBS, "train", "tests.worker.bodies")
    run_now(job)
    page = page_of(browser, f"{JOBS_URL}{job.pk}/")
    assert "line 3: no prompt" in page
    assert "Correct the input" in page
    assert "Traceback" not in page
    assert "Retry" in page


def test_a_failed_import_leads_to_another_file(browser, project, alice):
    job = launch(project=project, kind="import", params={}, actor=alice)
    assert "Import another file" not in page_of(browser, f"{JOBS_URL}{job.pk}/")
    Job.objects.update(state=JobState.FAILED)
    assert "Import another file" in page_of(browser, f"{JOBS_URL}{job.pk}/")


def test_cancel_and_retry(browser, job):
    assert browser.post(f"{JOBS_URL}{job.pk}/cancel/").status_code == 302
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    again = browser.post(f"{JOBS_URL}{job.pk}/retry/")
    assert again["Location"] == f"{JOBS_URL}{Job.objects.latest('pk').pk}/"
    assert Job.objects.count() == 2


def test_retrying_what_is_not_over_is_refused_in_words(browser, job):
    page = browser.post(f"{JOBS_URL}{job.pk}/retry/", follow=True).content.decode()
    assert "Only a failed or cancelled job" in page
    assert Job.objects.count() == 1


@pytest.fixture
def tuning(project, alice):
    """A tuning that failed for want of memory after its first checkpoint."""
    params = {"recipe": {"name": "lora", "tuning": {"token_budget": 512}}, "backbone": "minilm"}
    job = launch(project=project, kind="train", params=params, actor=alice, queue="gpu")
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, error="OutOfMemoryError: CUDA out of memory.")
    draft = artifacts().draft(f"{work_folder(job)}/step.safetensors")
    draft.touch()
    artifacts().publish(draft, f"{work_folder(job)}/step.safetensors")
    return job


def test_a_failed_tuning_is_resumed_relaunched_lighter_or_cloned(browser, tuning):
    page = page_of(browser, f"{JOBS_URL}{tuning.pk}/")
    for offered in ("Resume from its checkpoint", "Relaunch with a token budget of 256", f"train/?job={tuning.pk}"):
        assert offered in page
    for act, params in (
        ("resume", {"resume": tuning.pk}),
        ("lighter", {"recipe": {"name": "lora", "tuning": {"token_budget": 256}}}),
    ):
        answer = browser.post(f"{JOBS_URL}{tuning.pk}/{act}/")
        again = Job.objects.latest("pk")
        assert answer["Location"] == f"{JOBS_URL}{again.pk}/"
        assert again.params == tuning.params | params
    assert f'made from <a href="{JOBS_URL}{tuning.pk}/"' in page_of(browser, f"{JOBS_URL}{again.pk}/")


@pytest.mark.parametrize(("act", "said"), [("resume", "no checkpoint"), ("lighter", "ran out of memory")])
def test_what_cannot_be_done_is_refused_in_words(browser, job, act, said):
    cancel(job=job)
    assert said in browser.post(f"{JOBS_URL}{job.pk}/{act}/", follow=True).content.decode()
    assert Job.objects.count() == 1


def test_a_waiting_job_says_its_place_and_that_nobody_serves_its_queue(browser, job):
    second = launch(project=job.project, kind="train", params={})
    page = page_of(browser, f"{JOBS_URL}{second.pk}/")
    assert "2nd in its queue" in page
    assert "No worker serves <strong>cpu</strong>" in page
    beat(name="host:1", device="cpu", queues=["cpu"], started_at=second.created_at)
    assert "No worker serves" not in browser.get(f"{JOBS_URL}{second.pk}/events/").json()["status_html"]


def test_a_researcher_watches_but_is_offered_no_cancel(client_of, charlie, project, job):
    add_member(project=project, user=charlie, role=Role.RESEARCHER)
    assert "Cancel the job" not in page_of(client_of(charlie), f"{JOBS_URL}{job.pk}/")


def test_the_leaderboard_shows_intervals_beside_baselines(browser, project):
    assert "No reward model yet" in page_of(browser, VERSIONS)
    part = {"value": 0.612, "low": 0.55, "high": 0.67, "n": 250}
    version = make_version(project)
    version.metrics = {"pair_accuracy": part, "baselines": {"longer_wins": part | {"value": 0.509}}}
    version.save()
    page = page_of(browser, VERSIONS)
    for said in ("answers:1", "61.2 %", "55.0–67.0 %", "50.9 %"):
        assert said in page


def test_a_version_page_stands_with_hardly_any_metrics(browser, project):
    make_version(project)
    assert "nothing is known about its accuracy" in page_of(browser, f"{VERSIONS}1/")
    assert browser.get(f"{VERSIONS}2/").status_code == 404


def test_what_was_planted_stands_beside_what_was_recovered(browser, project):
    version = make_version(project)
    version.metrics = {"order_gamma": 0.385, "tie_theta": 1.42}
    version.save()
    assert "planted" not in page_of(browser, f"{VERSIONS}1/")
    record(kind="world.written", subject=project, project=project, order_gamma=0.4, tie_theta=1.5)
    page = page_of(browser, f"{VERSIONS}1/")
    for said in ("0.385", "planted: 0.400", "1.420", "planted: 1.500"):
        assert said in page


def test_an_order_effect_has_its_interval_where_its_error_was_kept(browser, project):
    version = make_version(project)
    version.metrics = {"order_gamma": -0.4, "order_by_rater": {"rater 1": 0.25}}
    version.save()
    page = page_of(browser, f"{VERSIONS}1/")
    assert "−0.400 (log-odds" in page
    assert "95 %:" not in page
    version.metrics |= {"order_error": 0.1, "order_error_by_rater": {"rater 1": 0.2}}
    version.save()
    page = page_of(browser, f"{VERSIONS}1/")
    assert "95 %: −0.596 to −0.204" in page
    assert "rater 1: 0.250, " in page
    assert "95 %: −0.142 to 0.642" in page


def test_promoting_one_archives_the_other(browser, project):
    for number in (1, 2):
        make_version(project, number)
        assert browser.post(f"{VERSIONS}{number}/promote/").status_code == 302
    assert dict(Version.objects.values_list("number", "state")) == {1: "archived", 2: "promoted"}
    browser.post(f"{VERSIONS}2/archive/")
    assert not Version.objects.filter(state="promoted").exists()


def test_scoring_again_launches_a_job(browser, project):
    version = make_version(project)
    browser.post(f"{VERSIONS}1/score/")
    assert Job.objects.get(kind="score").params == {"version": version.pk}
    browser.post(f"{VERSIONS}1/score/")  # one is on its way already
    assert Job.objects.filter(kind="score").count() == 1


def test_versions_are_named_by_number_or_latest(project):
    first, second = make_version(project, 1), make_version(project, 2)
    assert (resolve("answers:1"), resolve("answers:latest")) == (first, second)
    for name, reason in (("answers:3", "There is no version"), ("answers:x", "does not name"), ("x", "does not name")):
        with pytest.raises(ValueError, match=reason):
            resolve(name)


def test_promote_and_archive_are_in_the_ledger(project, alice):
    version = make_version(project)
    promote(version=version, actor=alice)
    archive(version=version, actor=alice)
    kinds = project.events.filter(subject=f"version:{version.pk}").values_list("kind", flat=True)
    assert list(kinds) == ["version.promoted", "version.archived"]


def test_long_lists_are_paged_and_cost_as_many_queries_as_short_ones(browser, project, django_assert_max_num_queries):
    for number in range(1, 53):
        version = make_version(project, number)
        Job.objects.create(project=project, kind="score", state=JobState.DONE, version=version)
    for url in (VERSIONS, JOBS_URL):
        with django_assert_max_num_queries(12):
            page = page_of(browser, url)
        assert "page 1 of 2" in page
        assert 'href="?page=2">Older' in page
        assert len(browser.get(f"{url}?page=2").context["page"]) == 2


@pytest.mark.parametrize(("kind", "where"), [("evaluate", "/p/answers/suites/7/"), ("select", "/p/answers/selection/")])
def test_a_job_that_is_done_leads_to_what_it_made(browser, project, kind, where):
    job = launch(project=project, kind=kind, params={"suite": 7, "versions": []})
    assert "See " not in page_of(browser, f"{JOBS_URL}{job.pk}/")
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE)
    page = page_of(browser, f"{JOBS_URL}{job.pk}/")
    assert f'<a class="button primary" href="{where}">See ' in page
