"""The launch form. Roles and strangers: tests/test_permissions.py."""

import re

import pytest
from django.utils import timezone

from worker.models import Backbone, Job, Snapshot
from worker.models.job import JobState
from worker.rm.recipe import OBJECTIVES
from worker.services import snapshot
from worker.services.job import launch, run_now

TRAIN, PREVIEW = "/p/answers/train/", "/p/answers/train/preview/"
HTMX = {"HX-Request": "true"}
HEADS = {"name": "heads", "backbone": "minilm", "queue": "cpu"}
LORA = {"name": "lora", "backbone": "minilm", "queue": "gpu", "tuning.epochs": "2", "preference.objective": "davidson"}


@pytest.fixture
def browser(client_of, alice):
    return client_of(alice)


def page_of(browser, url, data=None, **more):
    return browser.get(url, data, **more).content.decode()


def test_the_page_says_what_is_missing(browser, project):
    page = page_of(browser, TRAIN)
    assert "there are 0" in page
    assert "disabled" in page


def test_training_too_early_is_422_and_writes_nothing(browser, project):
    answer = browser.post(TRAIN, HEADS)
    assert answer.status_code == 422
    assert "At least 8 decided comparisons" in answer.content.decode()
    assert not Snapshot.objects.exists()


def test_it_shows_the_data_and_launches(browser, judged, alice):
    page = page_of(browser, TRAIN)
    assert "held out, by prompt" in page
    assert "disabled" not in page
    answer = browser.post(TRAIN, LORA)
    job = Job.objects.get(kind="train")
    assert answer["Location"] == f"/p/answers/jobs/{job.pk}/"
    assert (job.queue, job.created_by, job.params["snapshot"]) == ("gpu", alice, Snapshot.objects.get().pk)
    assert job.params["recipe"] == {"name": "lora", "tuning": {"epochs": 2}, "preference": {"objective": "davidson"}}
    assert job.params["tokens"] > 0


def test_all_judgements_are_read_once_a_request_whatever_comes_of_it(browser, judged, monkeypatch):
    read, own = [], snapshot._judgements
    monkeypatch.setattr(snapshot, "_judgements", lambda *asked: read.append(asked) or own(*asked))
    assert "4 to a token" in page_of(browser, TRAIN)  # with the forecast
    assert browser.post(TRAIN, HEADS | {"encoding.max_length": "1"}).status_code == 422
    assert browser.post(TRAIN, HEADS).status_code == 302
    judged.judgements.update(withdrawn_at=timezone.now())
    assert browser.post(TRAIN, HEADS).status_code == 422
    assert len(read) == 4


def test_the_page_foresees_what_stands_in_the_form(browser, judged):
    browser.post(TRAIN, LORA | {"encoding.max_length": "16"})
    page = page_of(browser, TRAIN, {"job": Job.objects.get().pk})
    assert "longer than 16 tokens" in page
    assert "Correct the recipe" in browser.post(TRAIN, HEADS | {"encoding.max_length": "1"}).content.decode()


def test_a_field_that_another_trainer_would_read_is_not_stored(browser, judged):
    browser.post(TRAIN, HEADS | {"tuning.epochs": "9", "extras.combine": "uwo", "heads.folds": "4"})
    assert Job.objects.get().params["recipe"] == {"name": "heads", "heads": {"folds": 4}}


@pytest.mark.parametrize("trainer", ["heads", "lora", "full"])
def test_only_options_of_the_trainer_are_shown(browser, project, trainer):
    fragment = page_of(browser, TRAIN, HEADS | {"name": trainer}, headers=HTMX)
    assert "<html" not in fragment
    shown = set(re.findall(r'name="([\w.]+)"', fragment))
    assert {"name", "backbone", "encoding.max_length", "preference.objective"} <= shown
    assert ("heads.folds" in shown) == (trainer == "heads")
    assert ("tuning.epochs" in shown) == (trainer != "heads")
    assert ("tuning.lora_rank" in shown) == (trainer == "lora")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_formula_of_the_objective_stands_beside_it(browser, project, objective):
    fragment = page_of(browser, TRAIN, HEADS | {"preference.objective": objective}, headers=HTMX)
    assert OBJECTIVES[objective].source.replace("&", "&amp;") in fragment
    assert "<math" in fragment
    assert "\\sigma" not in fragment


def test_what_was_typed_survives_a_change_of_trainer(browser, project):
    fragment = page_of(browser, TRAIN, LORA | {"encoding.max_length": "99", "name": "full"}, headers=HTMX)
    assert 'value="99"' in fragment
    assert 'value="2"' in fragment


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("tuning.epochs", "many", "valid integer"),
        ("tuning.warmup", "2", "less than or equal to 1"),
        ("extras.quantiles", "0.1, 3", "less than 1"),
        ("preference.objective", "alchemy", "Select a valid choice"),
        ("name", "alchemy", "Select a valid choice"),
        ("backbone", "/etc", "Select a valid choice"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(browser, judged, field, value, said):
    answer = browser.post(TRAIN, LORA | {field: value})
    assert answer.status_code == 422
    assert any(said in text for text in answer.context["form"].errors[field])
    assert not Job.objects.exists()


def test_registered_backbones_can_be_chosen(browser, judged):
    values = {"causal": True, "architecture": "Qwen", "parameters": 1, "width": 8, "layers": 1, "context_length": 64}
    Backbone.objects.create(name="Tiny <b>", source="/models/tiny", sha256="0" * 64, **values)
    assert "Tiny &lt;b&gt;" in page_of(browser, TRAIN)
    browser.post(TRAIN, HEADS | {"backbone": "/models/tiny"})
    assert Job.objects.get().params["backbone"] == "/models/tiny"


def test_a_clone_opens_the_form_filled(browser, judged):
    browser.post(TRAIN, LORA | {"tuning.learning_rate": "3e-05", "tuning.clip": "2"})
    page = page_of(browser, TRAIN, {"job": Job.objects.get().pk})
    assert re.search(r'value="lora"[^>]*checked', page)
    assert 'value="3e-05"' in page
    assert re.search(r'value="davidson"[^>]*selected', page)
    assert "<details open>" in page


@pytest.mark.parametrize("job", ["", "x", "0", "9" * 30])
def test_a_clone_of_nothing_is_404(browser, project, job):
    assert browser.get(TRAIN, {"job": job}).status_code == 404


def test_before_anything_was_measured_the_forecast_says_so(browser, judged):
    page = page_of(browser, PREVIEW, HEADS)
    assert "estimated" in page
    assert "4 to a token" in page
    assert "not known yet" in page
    assert page_of(browser, PREVIEW, HEADS | {"encoding.max_length": "1"}).count("Correct the recipe") == 1


def test_tokens_are_counted_by_a_worker_once(browser, judged):
    assert "Counting" in browser.post(PREVIEW, HEADS).content.decode()
    browser.post(PREVIEW, HEADS)
    job = Job.objects.get(kind="preview")
    assert job.params == {"recipe": {"name": "heads"}, "backbone": "minilm"}
    run_now(job)
    page = page_of(browser, PREVIEW, HEADS)
    assert "Tokens were counted by a worker" in page
    assert "Count exactly" not in page


def test_while_nothing_is_new_of_a_count_the_judgements_are_not_read_again(
    browser, judged, django_assert_max_num_queries
):
    assert "?seen=queued" in browser.post(PREVIEW, HEADS).content.decode()
    with django_assert_max_num_queries(7):
        assert browser.get(PREVIEW, HEADS | {"seen": "queued"}).status_code == 204
    Job.objects.update(state=JobState.RUNNING)
    assert "?seen=running" in page_of(browser, PREVIEW, HEADS | {"seen": "queued"})
    Job.objects.update(state=JobState.FAILED)
    assert "Count exactly" in page_of(browser, PREVIEW, HEADS | {"seen": "running"})


def test_a_count_that_failed_can_be_asked_for_again(browser, judged):
    launch(project=judged, kind="preview", params={"recipe": {"name": "heads"}, "backbone": "minilm"})
    Job.objects.update(state=JobState.FAILED)
    assert "Count exactly" in page_of(browser, PREVIEW, HEADS)


def test_a_choice_that_was_not_sent_stands_at_its_default(browser, judged):
    fragment = page_of(browser, TRAIN, HEADS, headers=HTMX)
    for value in ("rao_kupper", "shared", "logistic"):
        assert re.search(rf'value="{value}" selected', fragment)
    assert "<details open>" not in fragment
    browser.post(TRAIN, HEADS)
    assert Job.objects.get().params["recipe"] == {"name": "heads"}


def test_a_ridge_head_has_a_formula_of_its_own_and_no_objective(browser, project):
    fragment = page_of(browser, TRAIN, HEADS | {"heads.head": "ridge"}, headers=HTMX)
    assert "least squares" in fragment
    assert 'name="preference.objective"' not in fragment


def test_heads_that_exclude_each_other_are_told(browser, judged):
    answer = browser.post(TRAIN, HEADS | {"extras.odin": "on", "heads.head": "mlp"})
    assert answer.status_code == 422
    assert "ODIN parts two linear heads" in answer.content.decode()


def test_a_recipe_that_cannot_be_read_any_more_is_not_found(browser, judged):
    job = launch(project=judged, kind="train", params={"recipe": {"name": "heads", "gone": 1}, "backbone": "minilm"})
    assert browser.get(TRAIN, {"job": job.pk}).status_code == 404
