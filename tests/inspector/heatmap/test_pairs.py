"""The order of the pairs beside the heat-map: by surprise, kept, and made again when more was said or scored."""

import pytest

from inspector.heatmap.pairs import judged
from tests.inspector.making import judge, score
from worker.models import Summary


@pytest.fixture
def said(oder, other):
    """People prefer the first of each."""
    for item in (oder, other):
        judge(item, [[item.responses.all()[0]], [item.responses.all()[1]]])


def order(version):
    return [(one.item, one.surprise) for one in judged(version)]


def test_what_the_model_is_most_against_comes_first_and_unscored_pairs_last(version, oder, other, said):
    a, b = oder.responses.all()
    score(version, {a: 0.0, b: 1.5})
    assert order(version) == [(oder.pk, -1.5), (other.pk, None)]
    score(version, {other.responses.all()[0]: 0.0, other.responses.all()[1]: 2.0})
    assert order(version) == [(other.pk, -2.0), (oder.pk, -1.5)]
    assert [one.against for one in judged(version)] == [True, True]


def test_the_order_is_kept_until_somebody_says_more(version, oder, other, said):
    first = order(version)
    Summary.objects.update(values={"float64": ""})
    assert order(version) == []
    judge(oder, [[oder.responses.all()[0]], [oder.responses.all()[1]]])
    assert order(version) == first


def test_without_verdicts_there_is_no_pair(version, oder):
    assert (len(judged(version)), judged(version).items, judged(version).against) == (0, set(), 0)
    assert len(judged(version).of([oder.pk])) == 0
