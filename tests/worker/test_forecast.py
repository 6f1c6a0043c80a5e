"""What a training would read: exact counts, estimates called so, and time from jobs of the same kind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotate.services.item import import_items
from tests.inspector.making import make_version, score
from tests.worker.conftest import jsonl, row
from worker.models import Job
from worker.models.job import JobState
from worker.recipes import recipe_of, stored
from worker.rm.recipe import Recipe
from worker.services.forecast import ASSUMED, characters_per_token, count_tokens, forecast
from worker.services.job import run_now

ABOUT = {"backbone": "minilm", "queue": "cpu"}


def told(project, **values):
    return forecast(project=project, recipe=recipe_of(values), **ABOUT)


def test_texts_are_counted_and_duplicates_named(project):
    same = row(1) | {"responses": ["Yes.", "No.", "Yes."], "judgements": []}
    same["judgements"] = [{"shown": [0, 1, 2], "outcome": "ranking", "ranking": [[0], [1], [2]]}]
    import_items(project=project, file=jsonl(same, row(3), row(5) | {"judgements": []}), format="jsonl")
    found = told(project)
    assert (found.responses, found.prompts, found.duplicated) == (5, 2, 1)


def test_without_a_scoring_four_characters_are_a_token(project):
    import_items(project=project, file=jsonl(row(1)), format="jsonl")
    item = project.items.get()
    characters = sum(len(item.turns[0]["content"]) + len(r.text) for r in item.responses.all())
    found = told(project)
    assert (found.tokens, found.exact, found.per_token) == (round(characters / ASSUMED), False, None)


def test_a_scoring_on_the_backbone_says_how_long_a_token_is(judged):
    version = make_version(judged)
    responses = [response for item in judged.items.all() for response in item.responses.all()]
    score(version, dict.fromkeys(responses, 0.0))
    words = sum(len(r.text.split()) for r in responses)
    assert characters_per_token("minilm") == pytest.approx(sum(len(r.text) for r in responses) / words)
    assert characters_per_token("another") is None


def test_what_is_longer_than_the_limit_is_estimated(judged):
    found = told(judged, **{"encoding.max_length": "18"})
    assert (found.limit, found.truncated) == (18, 40)  # the longer answers
    assert told(judged).truncated == 0


def done_in(project, seconds, tokens, **values):
    now = timezone.now()
    params = {"recipe": stored(recipe_of(values)), "backbone": "minilm", "tokens": tokens}
    times = {"started_at": now - timedelta(seconds=seconds), "finished_at": now}
    Job.objects.create(project=project, kind="train", state=JobState.DONE, params=params, **times)


def test_time_comes_from_jobs_of_the_same_kind(judged):
    assert told(judged).seconds is None
    done_in(judged, 10, 1000)
    done_in(judged, 10, 3000)
    done_in(judged, 10, 2000)
    done_in(judged, 10, 9_000_000, name="full")
    found = told(judged)
    assert (found.rate, found.jobs) == (200, 3)
    assert found.seconds == found.tokens / 200
    assert told(judged, name="lora").seconds is None


def test_epochs_are_read_again(judged):
    assert told(judged, name="full", **{"tuning.epochs": "3"}).read == 3 * told(judged).tokens


def test_a_worker_counts_exactly_until_the_judgements_change(judged):
    job = run_now(count_tokens(project=judged, recipe=Recipe(), **ABOUT))
    assert job.state == JobState.DONE, job.error
    found = told(judged)
    assert (found.exact, found.tokens, found.truncated, found.identical) == (True, job.result["tokens"], 0, 0)
    assert not told(judged, **{"encoding.max_length": "20"}).exact
    judged.judgements.first().delete()
    assert not told(judged).exact


def test_pairs_that_are_the_same_once_cut_are_found(judged):
    short = recipe_of({"encoding.max_length": "16"})
    job = run_now(count_tokens(project=judged, recipe=short, **ABOUT))
    long = "The same beginning of both answers, word for word, for more than sixteen tokens, and then "
    pair = {"prompt": "Why?", "responses": [long + "yes.", long + "no."]}
    pair["judgements"] = [{"shown": [0, 1], "outcome": "ranking", "ranking": [[0], [1]]}]
    import_items(project=judged, file=jsonl(pair), format="jsonl")
    again = run_now(count_tokens(project=judged, recipe=short, **ABOUT))
    assert (job.result["identical"], again.result["identical"]) == (0, 1)
    assert again.result["truncated"] == job.result["truncated"] + 2
