"""From stored patterns to agreement: the same as from the table of ratings."""

import json

import numpy as np
import pytest

from annotate.agreement import Tasks, icc, krippendorff_alpha, percent_agreement, tally
from annotate.formats.record import text_sha256
from annotate.models import Agreement, Pattern, Side, TaskTally
from annotate.schema import Criterion, Schema
from annotate.services import agreement
from annotate.services.agreement import among, between_sides, figures, is_rating, level_of, rated, refresh
from annotate.services.task import make_tasks
from tests.annotate.making import make_item

TABLE = [(1, 1, 2), (5, 4, None), (3, 3, 3), (2, 5, 1), (4, None, None)]


def rows(table):
    return [(json.dumps([[v, unit.count(v)] for v in sorted({*unit} - {None})]), 1) for unit in table]


def test_patterns_give_what_the_table_gives():
    values, counts = tally(TABLE)
    found = among(rows(TABLE), "interval")
    assert found["alpha"].value == pytest.approx(krippendorff_alpha(counts, values, "interval"))
    assert found["percent"].value == pytest.approx(percent_agreement(counts).value)
    assert found["alpha"].n == 4
    assert "same number" in found["fleiss"].why


def test_the_level_decides_how_far_apart_answers_are():
    far = [('[["1",1],["2",1]]', 3)]
    assert among(far, "nominal")["alpha"].value == pytest.approx(krippendorff_alpha(np.array([[1, 1]] * 3)))


def test_people_and_machines_side_by_side():
    same = [('[[["first",2]],[["first",1]]]', 3), ('[[["second",1]],[["second",1]]]', 3)]
    found = between_sides(same)
    assert (found["percent"].value, found["kappa"].value) == (1.0, 1.0)
    half = [('[[["first",1],["second",1]],[["first",1]]]', 4)]
    assert between_sides(half)["percent"].value == 0.5
    assert between_sides(half)["kappa"].value == pytest.approx(0.0)
    assert between_sides([])["percent"].why == "nothing was judged by both"


def test_one_side_that_always_says_the_same_is_no_better_than_chance():
    always = [('[[["first",1]],[["first",1]]]', 3), ('[[["second",1]],[["first",1]]]', 1)]
    found = between_sides(always)
    assert found["percent"].value == 0.75
    assert found["kappa"].value == pytest.approx(0.0)


def test_each_kind_of_question_has_its_level():
    schema = Schema(criteria=(Criterion(key="ok", label="Ok", kind="yes_no"), Criterion(key="help", label="Help")))
    levels = {name: level_of(name, schema) for name in ("preference", "strength", "criterion:ok", "criterion:help")}
    assert levels == {
        "preference": "nominal",
        "strength": "ordinal",
        "criterion:ok": "nominal",
        "criterion:help": "ordinal",
    }


@pytest.mark.django_db
def test_only_what_is_stale_is_worked_out_again(project):
    Pattern.objects.create(
        project=project, side=Side.PEOPLE, question="preference", pattern='[["first",2]]', digest="a" * 64, units=3
    )
    Pattern.objects.create(
        project=project,
        side=Side.PEOPLE,
        question="preference",
        pattern='[["tie",1],["first",1]]',
        digest="b" * 64,
        units=1,
    )
    row = Agreement.objects.create(project=project, side=Side.PEOPLE, question="preference")
    assert refresh(project=project, seconds=0) == 0
    row.refresh_from_db()
    assert (row.stale, row.figures["percent"]["value"]) == (False, 0.75)
    Pattern.objects.filter(digest="b" * 64).update(units=0)
    refresh(project=project, seconds=1)
    row.refresh_from_db()
    assert row.figures["percent"]["value"] == 0.75


@pytest.mark.django_db
def test_a_limit_of_time_leaves_the_rest_for_later(project):
    for question in ("a", "b", "c"):
        Agreement.objects.create(project=project, side=Side.PEOPLE, question=question)
    assert refresh(project=project, seconds=0) == 2
    assert "twice" in Agreement.objects.get(question="a").figures["alpha"]["why"]


# ---- Ratings that are numbers


def test_intraclass_correlation_of_what_is_stored():
    even = [(1, 1, 2), (5, 4, 4), (3, 3, 3), (2, 5, 1)]
    values, counts = tally(even)
    found = rated(rows(even))
    assert (found["icc"], found["icc_mean"]) == (icc(counts, values), icc(counts, values, average=True))
    assert found["icc"].low < found["icc"].value < found["icc_mean"].value
    assert "same number" in rated(rows(TABLE))["icc"].why
    assert rated([])["icc"].why


def test_what_is_a_rating():
    kinds = {"check": "yes_no", "help": "likert", "words": "number"}
    schema = Schema(criteria=tuple(Criterion(key=key, label=key, kind=kind) for key, kind in kinds.items()))
    asked = ("criterion:check", "criterion:help", "criterion:words", "rubric", "preference", "criterion:gone")
    assert [is_rating(question, schema) for question in asked] == [False, True, True, True, False, False]
    assert level_of("rubric", schema) == "interval"


def test_a_level_stored_as_a_whole_number_and_as_a_fraction_is_one_level():
    found = among([("[[4,2]]", 3), ("[[4.0,2]]", 5), ("[[1,2]]", 2)], "ordinal")
    assert (found["percent"].value, found["percent"].n) == (1.0, 10)


# ---- Tasks that give several units


SAME, APART = '[["4",2]]', '[["2",1],["4",1]]'


@pytest.fixture
def rated_alike(project):
    """A hundred tasks, both responses of which get the same answers: in sixty of them twice the same."""
    make_tasks(project=project, items=[make_item(project, f"q{n}", "a", "b") for n in range(100)])
    about = {"project": project, "question": "criterion:helpful", "side": Side.PEOPLE}
    for text, units in ((SAME, 120), (APART, 80)):
        Pattern.objects.create(pattern=text, digest=text_sha256(text), units=units, **about)
    for n, task in enumerate(project.tasks.order_by("pk")):
        lines = [[Side.PEOPLE, "criterion:helpful", SAME if n < 60 else APART, 2], [Side.PEOPLE, "steps", SAME, 9]]
        bucket = task.pk % TaskTally.BUCKETS
        TaskTally.objects.create(project=project, task=task, raters=2, patterns=lines, bucket=bucket)
    return project


def width(project):
    found = figures(project, Side.PEOPLE, "criterion:helpful", project.schema)["percent"]
    assert (found.value, found.n) == (0.6, 200)
    return (found.high - found.low) / 3.92


@pytest.mark.django_db
def test_whole_tasks_are_redrawn(rated_alike):
    assert width(rated_alike) == pytest.approx((0.6 * 0.4 / 100) ** 0.5, rel=0.1)  # of 100 tasks, not of 200 units


@pytest.mark.django_db
def test_of_very_many_tasks_some_are_read(rated_alike, monkeypatch):
    monkeypatch.setattr(agreement, "SAMPLE", 50)
    tasks = agreement.some_tasks(rated_alike, Side.PEOPLE, "criterion:helpful")
    assert (0.3 < tasks.share < 0.7, len(tasks.held)) == (True, round(100 * tasks.share))
    assert set(map(str, tasks.held)) <= {str({SAME: 2}), str({APART: 2})}
    assert width(rated_alike) == pytest.approx((0.6 * 0.4 / 100) ** 0.5, rel=0.3)


def test_people_and_machines_are_redrawn_by_task():
    same, apart = '[[["a",1]],[["a",1]]]', '[[["a",1]],[["b",1]]]'
    rows_of = [(same, 120), (apart, 80)]
    tasks = Tasks([{same: 2}] * 60 + [{apart: 2}] * 40)
    wide, narrow = between_sides(rows_of, tasks)["percent"], between_sides(rows_of)["percent"]
    assert wide.value == narrow.value == 0.6
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(2**0.5, rel=0.1)
