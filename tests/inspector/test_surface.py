"""Surface features of model and people: planted ones are found, others are not; and what probes say."""

import json

import numpy as np
import pytest

from annotate.models import Response
from inspector.figures import intervals_figure
from inspector.length import Look
from inspector.surface import counted, probes, report
from tests.inspector.making import judge, make_item, score
from worker.models import Probe
from worker.services.job import run_now
from worker.services.probe import count_surface

pytestmark = pytest.mark.django_db


@pytest.fixture
def planted(project, version):
    """The model likes bold, whatever the length; people like lists; nobody cares for hedges."""
    rng = np.random.default_rng(0)
    for number in range(120):
        texts, values, liked = [], [], []
        for place in range(2):
            bold, points, hedges = (int(n) for n in rng.integers(0, 3, 3))
            words = "word " * int(rng.integers(5, 40))
            text = f"{words}{number} {place} " + "**bold** " * bold + "perhaps " * hedges + "\n- point" * points
            texts.append(text)
            values.append(0.5 * bold + rng.normal(0, 0.3))
            liked.append(points + rng.normal(0, 0.3))
        a, b = make_item(project, f"question {number}", *texts).responses.all()
        score(version, {a: values[0], b: values[1]})
        judge(a.item, [[a], [b]] if liked[0] > liked[1] else [[b], [a]])
    run_now(count_surface(project=project))
    return version


def rows_of(version):
    return {row["name"]: row for row in report(Look(version), counted(version.project))["rows"]}


def test_what_was_planted_is_sure_and_nothing_else(planted):
    rows = rows_of(planted)
    sure = {(name, side) for name, row in rows.items() for side in ("model_equal", "people_equal")
            if row[side] and row[side]["sure"]}  # fmt: skip
    assert {("bold passages", "model_equal"), ("list points", "people_equal")} <= sure
    assert not any(name in ("hedges", "position") for name, _ in sure)
    assert rows["bold passages"]["model_equal"]["r"].low > 0.5


def test_the_sentence_tells_them_apart(planted):
    found = report(Look(planted), counted(planted.project))["sentence"]
    assert found.startswith("At equal length the score goes with bold passages (+0.")
    assert "people’s verdicts go with list points (+0." in found
    assert "The model differs from people in" in found


def test_the_correction_is_over_all_cells(planted):
    found = report(Look(planted), counted(planted.project))
    cells = [cell for row in found["rows"] for cell in row["cells"]]
    assert found["tests"] == len([cell for cell in cells if cell["p"] is not None])
    assert all(0 <= cell["p"] <= 1 for cell in cells if cell["p"] is not None)
    assert found["absent"] == ["headings", "code", "opens with praise or assent", "emoji"]


def test_the_source_is_a_feature_where_there_are_several(planted):
    assert {"written by source-0", "written by source-1"} <= rows_of(planted).keys()
    Response.objects.update(source="one")
    planted.summaries.all().delete()
    assert not any(name.startswith("written by") for name in rows_of(planted))


def test_counted_means_that_the_newest_response_was(project, oder):
    assert counted(project) is None
    run_now(count_surface(project=project))
    assert counted(project) == oder.responses.last().pk
    make_item(project, "When?", "Now.", "Later.")
    assert counted(project) is None


def test_a_project_without_judgements_has_the_model_alone(project, version, oder):
    score(version, dict.fromkeys(oder.responses.all(), 1.0))
    run_now(count_surface(project=project))
    found = report(Look(version), counted(project))
    assert found["judged"] == 0
    assert found["sentence"].startswith("At equal length the score goes with no feature; people")


def probe(version, response, **after):
    rows = [Probe(version=version, response=response, swap="same", before=0.0, after=after.pop("same"))]
    rows += [Probe(version=version, response=response, swap=name, before=0.0, after=v) for name, v in after.items()]
    Probe.objects.bulk_create(rows)


def test_probes_by_hand(version, oder):
    a, b = oder.responses.all()
    version.temperature = 2.0
    probe(version, a, same=1.0, padding=3.0)
    probe(version, b, same=2.0, padding=2.5, plain=0.5)
    found = probes(version)
    by_name = {row["name"]: row for row in found["rows"]}
    assert by_name["padding"]["change"].value == pytest.approx((2.0 + 0.5) / 2 / 2)
    assert (by_name["padding"]["flipped"].value, by_name["plain"]["lost"].value) == (0.5, 1.0)
    assert by_name["praise"]["n"] == 0
    assert [(one["response"], one["label"]) for one in found["turned"]] == [
        (a.pk, "empty sentences at the end"),
        (b.pk, "Markdown stripped"),
    ]
    assert "“empty sentences at the end” is worth +0.62" in found["sentence"]
    json.dumps(version.summaries.get().values, allow_nan=False)


def test_nothing_probed_is_nothing(version):
    assert probes(version) is None


def test_new_probes_are_told_anew(version, oder):
    a, b = oder.responses.all()
    probe(version, a, same=1.0, padding=3.0)
    probe(version, b, same=2.0)
    assert probes(version)["rows"][3]["change"].value == 2.0
    Probe.objects.all().delete()
    probe(version, a, same=1.0, padding=2.0)
    assert probes(version)["rows"][3]["change"].value == 1.0


def test_the_figure_has_whiskers_and_no_tags_in_its_labels(version, planted):
    found = report(Look(planted), counted(planted.project))["rows"]
    sides = {"model": [row["model"]["r"] for row in found]}
    (trace,) = intervals_figure([f"<b>{row['name']}</b>" for row in found], sides, "r")["data"]
    assert len(trace["x"]) == len(trace["error_x"]["array"]) == len(found)
    assert trace["y"][0] == "&lt;b&gt;tokens&lt;/b&gt;"
