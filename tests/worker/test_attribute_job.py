"""Which heads of a version are taken apart, and how."""

from dataclasses import replace

import pytest

from tests.worker.model import HEADS, model
from worker.jobs.attribute import _wanted
from worker.rm.recipe import Extras

BENT = replace(model(), rows=HEADS[2:], extras=Extras(combine="uwo"))  # two members, and one segment head


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"methods": ["exact"]}, [("segment:wrong", "exact"), ("preference", "ig")]),
        ({"methods": ["exact", "ig"]}, [("segment:wrong", "exact"), ("preference", "ig")]),
        ({"methods": ["ig"], "heads": ["segment:wrong"]}, [("segment:wrong", "ig")]),
    ],
)
def test_where_no_exact_split_exists_gradients_stand_in_for_the_preference(params, expected):
    found = _wanted(BENT, params)
    assert [one for one in found if not one[0].startswith("member")] == expected


def test_every_linear_head_is_split_exactly():
    assert _wanted(model(), {"methods": ["exact"]}) == [(head, "exact") for head in HEADS]
