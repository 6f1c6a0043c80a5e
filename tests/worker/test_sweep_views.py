"""Sweeps in the browser. Roles and strangers: tests/test_permissions.py."""

import re

import pytest

from annotate.models import Role
from annotate.services.project import add_member
from tests.worker.test_sweep import finish, start
from worker.models import Job, Sweep

URL, NEW = "/p/answers/sweeps/", "/p/answers/sweeps/new/"
BASE = {"name": "lora", "backbone": "minilm", "queue": "gpu"}
TRIED = BASE | {"field1": "tuning.learning_rate", "values1": "1e-5, 3e-5"}
RUNS = {"HX-Request": "true", "HX-Target": "runs"}


@pytest.fixture
def browser(client_of, alice):
    return client_of(alice)


def page_of(browser, url, data=None, **more):
    return browser.get(url, data, **more).content.decode()


def test_without_sweeps_the_page_says_what_one_is(browser, project):
    assert "No sweep yet" in page_of(browser, URL)


def test_the_form_says_how_many_runs_it_makes(browser, project):
    more = TRIED | {"field2": "tuning.lora_rank", "values2": "4,8,16"}
    fragment = page_of(browser, NEW, more, headers=RUNS)
    assert "<html" not in fragment
    assert "6 runs" in fragment


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"values1": "1e-5, x"}, "valid number"),
        ({"values1": ""}, "Name at least one value"),
        ({"field2": "tuning.learning_rate", "values2": "1"}, "stands in two places"),
        ({"field1": "tuning.alchemy"}, "Select a valid choice"),
        ({"field1": "", "values1": ""}, "at least one value"),
        ({"tuning.epochs": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_launched(browser, judged, sent, said):
    answer = browser.post(NEW, TRIED | sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not any(model.objects.exists() for model in (Sweep, Job))


def test_too_early_it_is_422(browser, project):
    answer = browser.post(NEW, TRIED)
    assert answer.status_code == 422
    assert "At least 8 decided comparisons" in answer.content.decode()


def test_it_launches_and_leads_to_the_table(browser, judged, alice):
    answer = browser.post(NEW, TRIED)
    sweep = Sweep.objects.get()
    assert answer["Location"] == f"{URL}{sweep.pk}/"
    assert (sweep.created_by, sweep.jobs.count(), sweep.recipe) == (alice, 2, {"name": "lora"})
    page = page_of(browser, f"{URL}{sweep.pk}/")
    for said in ("Learning rate", "3e-05", "Cancel all that is left", 'hx-trigger="every 2s"'):
        assert said in page
    assert f"sweep {sweep.pk}" in page_of(browser, URL)


def test_a_change_of_trainer_changes_what_can_be_tried(browser, project):
    fragment = page_of(browser, NEW, TRIED | {"name": "heads"}, headers={"HX-Request": "true", "HX-Target": "recipe"})
    assert 'hx-swap-oob="innerHTML"' in fragment
    assert 'value="heads.folds"' in fragment
    assert 'value="tuning.learning_rate"' not in fragment


def test_best_is_marked_only_when_it_stands_apart(browser, judged):
    sweep = start(judged)
    first, second = sweep.jobs.order_by("pk")[:2]
    finish(first, 1, 0.9, 0.8, 0.95)
    finish(second, 2, 0.85, 0.75, 0.9)
    assert "No point is marked best" in page_of(browser, f"{URL}{sweep.pk}/")
    finish(second, 3, 0.6, 0.5, 0.7)
    page = page_of(browser, f"{URL}{sweep.pk}/")
    assert page.count("badge good") == 3  # best, and the two that are done
    assert "One point stands apart" in page


def test_cancel_all(browser, judged):
    sweep = start(judged)
    page = browser.post(f"{URL}{sweep.pk}/cancel/", follow=True).content.decode()
    assert "6 jobs of the sweep cancelled" in page
    assert "every 2s" not in page
    assert "Cancel all that is left" not in page


def test_a_researcher_sees_it_and_is_offered_no_cancel(client_of, charlie, judged):
    add_member(project=judged, user=charlie, role=Role.RESEARCHER)
    page = page_of(client_of(charlie), f"{URL}{start(judged).pk}/")
    assert "Cancel all" not in page
    assert not re.search("New sweep", page_of(client_of(charlie), URL))
