"""The numbers of a page as CSV and JSON: what goes in comes out, and nothing that a spreadsheet would run."""

import csv
import io
import json

import numpy as np
import pytest
from django.http import Http404
from django.urls import resolve, reverse

from annotate.agreement import Interval, undefined
from inspector import numbers
from inspector.figures import intervals_figure

SURE, UNSURE = Interval(0.5, 0.25, 0.75, 8), undefined("nobody judged")


@pytest.fixture
def ask(rf, project, version):
    def asked(query, values=None):
        request = rf.get(reverse("inspector:length", args=[project.slug, version.number]), query)
        request.resolver_match = resolve(request.path)
        return numbers.download(request, "length v1", {"share": SURE} if values is None else values)

    return asked


def table_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def only(values):
    """The columns after the provenance, of plain values."""
    return [row[:4] for row in numbers.rows(numbers.plain(values), "page", "", "")]


def test_a_page_that_is_only_looked_at_gives_no_file(ask):
    assert ask({"score": "raw"}) is None


@pytest.mark.parametrize("format", ["", "xlsx", "CSV", "../csv"])
def test_another_format_is_not_found(ask, format):
    with pytest.raises(Http404):
        ask({"format": format})


def test_json_holds_intervals_whole_and_says_where_they_come_from(ask, project, version):
    answer = ask({"format": "json", "score": "raw"}, {"share": SURE, "none": UNSURE})
    found = json.loads(answer.content)
    assert found["numbers"]["share"] == {"value": 0.5, "low": 0.25, "high": 0.75, "n": 8, "why": ""}
    assert found["numbers"]["none"]["why"] == "nobody judged"
    origin = found["provenance"]
    assert (origin["project"], origin["version"], origin["file_sha256"]) == (project.slug, 1, version.file_sha256)
    assert origin["snapshot"] == version.snapshot.sha256
    assert origin["address"].endswith("/length/?score=raw")


def test_the_file_is_named_by_project_and_page(ask, project):
    assert f'filename="{project.slug}-length-v1.csv"' in ask({"format": "csv"})["Content-Disposition"]


def test_csv_reads_back_to_the_same_numbers(ask):
    row = table_of(ask({"format": "csv"}, {"share": Interval(1 / 3, -1e-300, 2 / 3, 12)}))[0]
    assert tuple(row) == numbers.COLUMNS
    assert (float(row["value"]), float(row["low"]), float(row["high"]), int(row["n"])) == (1 / 3, -1e-300, 2 / 3, 12)


def test_a_list_of_rows_is_a_table_that_can_be_put_together_again(ask):
    raters = [{"name": "Alice", "longer": SURE}, {"name": "Bob", "longer": UNSURE}]
    found = [row for row in table_of(ask({"format": "csv"}, {"raters": raters})) if row["table"] == "raters"]
    assert [(row["row"], row["name"]) for row in found] == [(n, c) for n in "01" for c in ("name", "longer")]
    assert [row["text"] for row in found if row["name"] == "name"] == ["Alice", "Bob"]
    assert [row["why"] for row in found if row["name"] == "longer"] == ["", "nobody judged"]


def test_lists_inside_rows_keep_their_place():
    values = {"sides": [{"r": [1, 2]}, {"cells": [{"p": 0.5}]}], "best": {"n": 4}}
    nested = [("sides.r", "0/0", "r", 1), ("sides.r", "0/1", "r", 2), ("sides.cells", "1/0", "p", 0.5)]
    assert only(values) == [*nested, ("page", "", "best.n", 4)]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(ask, text):
    row = table_of(ask({"format": "csv"}, {"name": text, text: "plain"}))
    assert row[0]["text"] == f"'{text}"
    assert row[1]["name"] == f"'{text}"


def test_a_negative_number_stays_a_number(ask):
    assert table_of(ask({"format": "csv"}, {"x": -1.5}))[0]["value"] == "-1.5"


def test_what_is_not_finite_is_left_empty(ask):
    values = {"x": [float("nan"), np.inf, -np.inf], "y": Interval(0.1, float("-inf"), None, 3)}
    found = json.loads(ask({"format": "json"}, values).content)["numbers"]
    assert found["x"] == [None] * 3
    assert (found["y"]["value"], found["y"]["low"]) == (0.1, None)
    assert table_of(ask({"format": "csv"}, values))[0]["value"] == ""


def test_numpy_and_truth_become_plain_numbers():
    assert numbers.plain({1: np.float32(0.5), "a": np.arange(2)}) == {"1": 0.5, "a": [0, 1]}
    assert only({"sure": True}) == [("page", "", "sure", 1.0)]


def test_a_row_of_a_model_is_refused_rather_than_written(version):
    with pytest.raises(TypeError, match="Version is no number"):
        numbers.plain({"version": version})


def test_a_figure_becomes_the_points_that_it_draws():
    figure = intervals_figure(["lists"], {"model": [SURE]}, "r")
    assert numbers.plain(figure) == [{"trace": "model", "x": 0.5, "y": "lists"}]
