"""Reliabilities out of the database: rankings give circles of comparisons, and who turns them around is found."""

import math
import random

import pytest

from annotate.models import Item, RaterTally
from annotate.models.judgement import Source
from annotate.services.judgement import store_judgements
from annotate.services.reliability import due, fit, rater_weights
from annotate.services.tally import count_waiting
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

pytestmark = pytest.mark.django_db
FOLLOW = [f"follows {n}" for n in range(16)]


@pytest.fixture
def judged(project):
    """Responses whose scores are one apart; all raters follow them as Bradley and Terry say, but one guesses."""
    rng = random.Random(3)
    items = [make_item(project, f"q{n}", *rng.sample("abcd", 4)) for n in range(5)]
    make_tasks(project=project, items=Item.objects.filter(pk__in=[item.pk for item in items]))
    rows = []
    for task in project.tasks.order_by("pk"):
        worse, better = task.responses.order_by("text")
        apart = ord(better.text) - ord(worse.text)
        for rater in (*FOLLOW, "guesses"):
            errs = 0.5 if rater == "guesses" else 1 / (1 + math.exp(apart))
            ranking = [[worse.pk], [better.pk]] if rng.random() < errs else [[better.pk], [worse.pk]]
            row = {"task": task.pk, "shown_order": [worse.pk, better.pk], "outcome": "ranking", "ranking": ranking}
            rows.append(row | {"rater_name": rater, "idempotency_key": f"{rater} {task.pk}"})
    store_judgements(project=project, rows=rows, source=Source.IMPORTED)
    count_waiting(seconds=60)
    return project


def test_who_guesses_is_found_and_what_cannot_be_told_says_why(judged):
    fit(project=judged)
    found = {row.who.removeprefix("name:"): row.reliability for row in RaterTally.objects.filter(project=judged)}
    values = {name: fitted["dawid_skene"]["value"] for name, fitted in found.items()}
    assert min(values, key=values.get) == "guesses"
    assert {fitted["bradley_terry"]["n"] for fitted in found.values()} == {30}
    assert all("too few comparisons" in fitted["bradley_terry"]["why"] for fitted in found.values())


def test_it_is_fitted_again_only_when_judgements_came(judged):
    assert due(judged)
    fit(project=judged)
    assert not due(judged)
    task = judged.tasks.first()
    shown = list(task.responses.values_list("pk", flat=True))
    row = {"task": task.pk, "shown_order": shown, "outcome": "tie", "rater_name": "late", "idempotency_key": "late"}
    store_judgements(project=judged, rows=[row], source=Source.IMPORTED)
    count_waiting(seconds=60)
    assert due(judged)


def test_without_judgements_nothing_is_fitted(project):
    assert not due(project)
    assert fit(project=project) == 0


def weigh(project, who, *values, source=Source.IMPORTED):
    fitted = {name: {"value": p} for name, p in zip(("dawid_skene", "bradley_terry"), values, strict=False)}
    RaterTally.objects.create(project=project, who=who, source=source, sums={}, reliability=fitted)


def test_a_rater_weighs_as_much_as_they_are_better_than_a_lot(project):
    weigh(project, "name:never errs", 1.0, 0.5)
    weigh(project, "name:by lot", 0.5, 1.0)
    weigh(project, "name:turned around", 0.1)
    weigh(project, "user:7", None, 0.8)  # Dawid and Skene say nothing, Bradley and Terry do
    weigh(project, "name:unknown", None, None)
    weigh(project, "name:not fitted")
    weigh(project, "name:gpt", 0.9, source=Source.MACHINE)
    expected = {"name:never errs": 1.0, "name:by lot": 0.0, "name:turned around": 0.0, "user:7": pytest.approx(0.6)}
    assert rater_weights(project) == expected


def test_before_the_fit_nobody_weighs_and_after_it_who_guesses_weighs_least(judged):
    assert rater_weights(judged) == {}
    fit(project=judged)
    weights = rater_weights(judged)
    assert len(weights) == 17
    assert min(weights, key=weights.get) == "name:guesses"
