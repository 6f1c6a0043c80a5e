import numpy as np
import pytest

from annotate.agreement import Interval
from inspector import rows
from inspector.figures import intervals_figure, plain
from tests.inspector.making import judge, make_version, score

pytestmark = pytest.mark.django_db


def test_a_pair_is_the_weighted_mean_of_the_current_judgements_of_people(project, oder):
    a, b = oder.responses.all()
    judge(oder, [[a], [b]])
    judge(oder, [[b], [a]], weight=0.5)
    judge(oder, [[b], [a]], superseded=True)
    judge(oder, [[b], [a]], source="machine")
    judge(oder, [[a, b]], outcome="tie")
    (pair,) = rows.judged_pairs(project)
    assert (pair.first, pair.second, pair.judgements) == (a.pk, b.pk, 3)
    assert pair.p == pytest.approx((1 + 0.5 * 0 + 0.5) / 2.5)
    assert pair.chosen == a.pk


def test_scores_of_another_version_are_not_read(project, version, oder):
    score(make_version(project, 2), dict.fromkeys(oder.responses.all(), 1.0))
    assert rows.scores(version) == {}


def test_plain_values_hold_no_array_and_no_nan():
    mixed = {"a": np.array([1.0, np.nan]), "b": (np.float32(2.0), np.int64(3)), "c": float("inf"), "d": "x"}
    assert plain(mixed) == {"a": [1.0, None], "b": [2.0, 3], "c": None, "d": "x"}


def test_a_chart_has_room_for_every_line_of_its_labels():
    sure = Interval(0.5, 0, 1, 9)
    labels = [f"a label of two lines, {n}" for n in range(20)]
    few, many = (intervals_figure(labels[:n], {"r": [sure] * n}, "r")["layout"]["height"] for n in (2, 20))
    assert many - few >= 18 * 2 * 17  # a line is 17 pixels high
