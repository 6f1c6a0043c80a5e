"""From stored patterns to agreement: the same as from the table of ratings."""

import json

import numpy as np
import pytest

from annotate.agreement import krippendorff_alpha, percent_agreement, tally
from annotate.models import Agreement, Pattern, Side
from annotate.schema import Criterion, Schema
from annotate.services.agreement import among, between_sides, level_of, refresh

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
        project=project, side=Side.PEOPLE, question="preference", pattern='[["first",2]]', digest="a", units=3
    )
    Pattern.objects.create(
        project=project, side=Side.PEOPLE, question="preference", pattern='[["tie",1],["first",1]]', digest="b", units=1
    )
    row = Agreement.objects.create(project=project, side=Side.PEOPLE, question="preference")
    assert refresh(project=project, seconds=0) == 0
    row.refresh_from_db()
    assert (row.stale, row.figures["percent"]["value"]) == (False, 0.75)
    Pattern.objects.filter(digest="b").update(units=0)
    refresh(project=project, seconds=1)
    row.refresh_from_db()
    assert row.figures["percent"]["value"] == 0.75


@pytest.mark.django_db
def test_a_limit_of_time_leaves_the_rest_for_later(project):
    for question in ("a", "b", "c"):
        Agreement.objects.create(project=project, side=Side.PEOPLE, question=question)
    assert refresh(project=project, seconds=0) == 2
    assert "twice" in Agreement.objects.get(question="a").figures["alpha"]["why"]
