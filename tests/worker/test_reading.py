"""Columns of many rows: the values that models have, under their names, in the order asked for."""

import pytest

from annotate.models import Judgement
from worker.services import reading
from worker.services.reading import chunks

NAMES = ("pk", "item__split", "shown_order", "ranking", "outcome", "ratings", "weight", "omissions")


@pytest.mark.parametrize("size", [3, 1000])
def test_columns_are_those_of_the_models(judged, monkeypatch, size):
    monkeypatch.setattr(reading, "CHUNK", size)
    odd = [{"response": 1, "note": 'He said: "naïve",\n[x], {y} 😀 \\u0041'}]
    Judgement.objects.filter(outcome="tie").update(omissions=odd)
    found = list(chunks(judged.judgements.order_by("pk"), NAMES))
    rows = [row for chunk in found for row in chunk]
    assert max(map(len, found)) <= size
    assert [tuple(row) for row in rows] == list(judged.judgements.order_by("pk").values_list(*NAMES))
    assert odd in [row.omissions for row in rows]


def test_without_rows_there_is_no_chunk(project):
    assert list(chunks(project.judgements.all(), NAMES)) == []
