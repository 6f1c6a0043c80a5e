"""/metrics: to whom it shows itself, and that its numbers are those of the database."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.inspector.making import judge, make_item
from worker.models import Job
from worker.services.job import launch
from worker.services.node import beat

pytestmark = pytest.mark.django_db
BEARER = {"Authorization": "Bearer for-the-scraper"}


@pytest.fixture
def scraped(client, settings):
    """scraped() → {(name, *values of its labels by name): value}."""
    settings.METRICS_TOKEN = "for-the-scraper"

    def scrape():
        text = client.get("/metrics", headers=BEARER).content.decode()
        families = text_string_to_metric_families(text)
        return {
            (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
            for family in families
            for one in family.samples
        }

    return scrape


def test_only_the_token_and_superusers_see_them(client, settings, client_of, alice, django_user_model):
    assert client.get("/metrics").headers["Location"].startswith("/login/")
    assert client_of(alice).get("/metrics").status_code == 403
    assert client_of(django_user_model.objects.create_superuser("root")).get("/metrics").status_code == 200
    settings.METRICS_TOKEN = "for-the-scraper"
    assert client.get("/metrics", headers=BEARER).status_code == 200
    for wrong in ("Bearer wrong", "Bearer ", "for-the-scraper-not", ""):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 302


def test_without_a_token_an_empty_one_opens_nothing(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 302


def test_requests_are_counted_by_view_method_and_status(client, scraped):
    before = scraped()
    client.get("/login/?next=/p/a/")
    client.generic("BREW", "/nowhere/at/all/")
    after = scraped()
    seen = ("touchstone_requests_total", "GET", "200", "annotate:login")
    assert after[seen] - before.get(seen, 0) == 1
    assert after["touchstone_requests_total", "other", "404", "none"] >= 1
    assert after["touchstone_request_seconds_count", "GET", "annotate:login"] >= 1


def test_queues_have_depth_and_age(project, scraped):
    for _ in range(2):
        launch(project=project, kind="score", params={})
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    numbers = scraped()
    assert numbers["touchstone_jobs", "cpu", "queued"] == 2
    assert 120 <= numbers["touchstone_oldest_job_seconds", "cpu", "queued"] < 180


def test_jobs_that_ended_are_a_histogram(project, scraped):
    now = timezone.now()
    for seconds in (2, 20, 20_000):
        began = now - timedelta(seconds=seconds)
        Job.objects.create(project=project, kind="train", state="done", started_at=began, finished_at=now)
    numbers = scraped()
    most = ("1.0", "3.0", "30.0", "10000.0", "+Inf")
    assert [numbers["touchstone_job_seconds_bucket", "train", le, "done"] for le in most] == [0, 1, 2, 2, 3]
    assert numbers["touchstone_job_seconds_sum", "train", "done"] == pytest.approx(20_022)


def test_judgements_leases_and_wanted_ones(project, scraped, bob):
    item = make_item(project, "why?", "one", "two")
    first, second = item.responses.all()
    judge(item, [[first], [second]])
    numbers = scraped()
    assert sum(value for name, value in numbers.items() if name[0] == "touchstone_judgements") == 1
    assert {numbers["touchstone_leases", "live"], numbers["touchstone_leases", "late"]} == {0}
    assert numbers[("touchstone_open_slots",)] == sum(project.tasks.values_list("open_slots", flat=True))


def test_a_worker_is_up_until_it_falls_silent(scraped):
    now = timezone.now()
    beat(name="host:1", device="cpu", queues=["cpu"], started_at=now)
    beat(name="host:2", device="cpu", queues=["cpu"], started_at=now).__class__.objects.filter(name="host:2").update(
        seen_at=now - timedelta(hours=1)
    )
    numbers = scraped()
    assert (numbers["touchstone_worker_up", "host:1"], numbers["touchstone_worker_up", "host:2"]) == (1, 0)
