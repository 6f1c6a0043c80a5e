"""All the ways of taking a score apart, made by a worker's job of a small causal model, each on the page."""

import re

import pytest
from django.conf import settings
from django.urls import reverse

from tests.inspector.making import make_item, make_version
from tests.worker.rm import tiny
from tests.worker.rm.attributed import tuned_model
from worker.explain import METHODS
from worker.models import Version
from worker.rm import checkpoint
from worker.services.job import launch, run_now

TEXTS = "It ends in the Baltic Sea. Far away 😀.", "In the <b>North</b> Sea. Or not."


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Read by its mean, so that there is an exact split; causal, so that there are prefixes."""
    return tuned_model(str(tiny.llama(tmp_path_factory.mktemp("llama"), list(TEXTS))), encoding={"pooling": "mean"})


@pytest.fixture
def page(project, client_of, alice, small):
    """Its page of one pair, once a job has explained it by all methods."""
    version, item = make_version(project), make_item(project, "Where does the Oder end?", *TEXTS)
    sha256 = checkpoint.save(small, settings.ARTIFACT_DIR / "small.safetensors")
    own = {"file": "small.safetensors", "file_sha256": sha256, "heads": list(small.heads)}
    Version.objects.filter(pk=version.pk).update(**own)
    asked = {"version": version.pk, "responses": [r.pk for r in item.responses.all()], "methods": list(METHODS)}
    job = run_now(launch(project=project, kind="attribute", params=asked | {"heads": ["preference"]}))
    assert (job.state, job.result) == ("done", {"attributions": 2 * len(METHODS), "known": 0, "left_out": []})
    url = reverse("inspector:heatmap", args=[project.slug, version.number])
    return lambda **more: client_of(alice).get(url, {"item": item.pk} | more)


def books(answer) -> list[list[float]]:
    """baseline, features, parts, residual and score as the page says them: of the margin, then of each text."""
    found = re.findall(r'<p class="small sum">(.*?)</p>', answer.content.decode(), re.DOTALL)
    numbers = (re.findall(r"<strong>(.*?)</strong>", one) for one in found)
    return [[float(number.replace("−", "-").replace(",", "")) for number in one] for one in numbers]


@pytest.mark.parametrize("key", METHODS)
def test_each_method_is_painted_and_adds_up_on_the_page(page, key):
    answer = page(method=key)
    told = books(answer)
    assert len(told) == 3
    for *parts, score in told:
        assert sum(parts) == pytest.approx(score, abs=3e-4)  # each is rounded to four decimals
    assert (b'class="bars layers"' if METHODS[key].per == "layer" else b'class="piece') in answer.content
    assert [side.side.text for side in answer.context["map"].sides] == list(TEXTS)


def test_all_methods_tell_of_the_same_score_and_what_they_cost(page):
    answer = page(mode="methods")
    rows = answer.context["table"]
    assert [row.method for row in rows] == list(METHODS.values())
    assert [row.sums.score for row in rows] == pytest.approx([rows[0].sums.score] * len(rows), abs=1e-4)
    assert all(row.cost["tokens"] > 0 and row.cost["seconds"] > 0 for row in rows)
    assert answer.context["map"].keys == tuple(key for key in METHODS if METHODS[key].per != "layer")
    assert len(answer.context["between"]) == 8 * 7 // 2
