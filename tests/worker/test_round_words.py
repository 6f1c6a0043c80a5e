"""A round's decision in a sentence, whatever the numbers are."""

import pytest

from tests.inspector.making import make_version
from worker.compare import paired
from worker.models import Round
from worker.models.round import Rule
from worker.round_words import decision
from worker.templatetags.numbers import points


@pytest.fixture
def one(project):
    return Round(project=project, number=3, version=make_version(project, 5), against=make_version(project, 4))


def said(one, new, old, rule=Rule.BETTER, tolerance=0.0):
    return decision(one, paired(new, old, [f"p{n}" for n in range(len(new))]), rule, tolerance)


def test_better(one):
    better, words = said(one, [1.0] * 15 + [0.0] * 5, [0.0] * 15 + [0.0] * 5)
    assert better
    assert words.startswith(
        "Version 5 is right on 75.0 % of 20 pairs, version 4 on 0.0 %. The difference is +75.0 points"
    )
    assert "15 of 20 prompts won, 0 lost, p = 6.1e-05" in words
    assert words.endswith("Promoted: the whole interval lies above 0, and p is at most .05.")


@pytest.mark.parametrize(
    ("new", "old", "why"),
    [
        ([0.0] * 20, [1.0] * 15 + [0.0] * 5, "the whole interval lies below 0"),
        ([1.0, 0.0] * 10, [0.0, 1.0] * 10, "the interval holds 0"),
        ([1.0] * 5 + [0.0] * 3, [0.0] * 8, "p is above .05"),
    ],
)
def test_not_better(one, new, old, why):
    better, words = said(one, new, old)
    assert not better
    assert words.endswith(f"Not promoted: {why}.")


def test_not_worse_and_never(one):
    same = [1.0] * 60
    assert said(one, same, same, Rule.NOT_WORSE, 0.1)[1].endswith("Promoted: the whole interval lies above −10.0 %.")
    better, words = said(one, same, same, Rule.NOT_WORSE, 0.01)
    assert not better
    assert words.endswith("Not promoted: not the whole interval lies above −1.0 %.")
    assert said(one, same, [0.0] * 60, Rule.NEVER)[1].endswith("Not promoted: a person decides.")


@pytest.mark.parametrize(("change", "text"), [(0.0434, "+4.3 points"), (-0.1, "−10.0 points"), (None, "–"), ("", "–")])
def test_a_change_of_a_share_in_points(change, text):
    assert points(change) == text
