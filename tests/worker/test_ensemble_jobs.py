"""Versions trained apart become one version: scored, marked, refused for export. Members of two kinds."""

import io
import json
import re

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.worker.rm import tiny
from tests.worker.test_tuned_jobs import start
from worker.jobs.loading import model_of
from worker.jobs.scored import scored
from worker.models import Version
from worker.rm.types import PREFERENCE, Example
from worker.services import rounds
from worker.services.affected import weights_from
from worker.services.average import start_ensemble
from worker.services.export import start_export
from worker.services.job import HERE, run_now
from worker.services.training import start_training
from worker.services.transform import transform_version

ASKED = [Example(str(n), "", (("user", "Where is the museum?"),), said) for n, said in enumerate(("Here.", "Bananas!"))]


@pytest.fixture
def members(judged, tmp_path):
    llama = str(tiny.llama(tmp_path / "llama", ["Where is the museum? Beside the river. Bananas"]))
    for job in (start_training(project=judged, queue=HERE), start(judged, llama, tuning={"epochs": 1})):
        assert run_now(job).state == "done", job.error
    return list(Version.objects.all())


@pytest.fixture
def made(members):
    job = run_now(start_ensemble(versions=members, rule="uwo", uwo_weight=0.2, queue=HERE))
    assert job.state == "done", job.error
    return Version.objects.first()


def test_heads_and_a_fine_tune_score_together(made, members):
    z = np.stack([(scored(one, ASKED).heads[PREFERENCE] - one.mean) / one.std for one in members])
    found = scored(made, ASKED).heads
    np.testing.assert_allclose(found[PREFERENCE], z.mean(0) - 0.2 * z.var(0), atol=1e-4)
    np.testing.assert_allclose(found["disagreement"], z.std(0), atol=1e-4)


def test_it_is_a_version_like_any_other(made, members, client, alice):
    assert made.heads == [PREFERENCE, "member:0", "member:1", "disagreement"]
    assert made.metrics["pair_accuracy"]["n"] == members[0].metrics["pair_accuracy"]["n"]
    assert made.recipe["extras"]["combine"] == "uwo"
    assert set(weights_from(made)) == {one.pk for one in members}
    client.force_login(alice)
    pages = [client.get(f"/p/{made.project.slug}/versions/{made.number}/{end}") for end in ("", "lineage/")]
    assert [page.status_code for page in pages] == [200, 200]
    assert "an ensemble (uwo) of 2 versions" in pages[1].content.decode()


def test_its_page_names_its_members_and_no_members_recipe_as_its_own(made, members, client, alice):
    client.force_login(alice)
    clipped = transform_version(version=made, transforms=[{"name": "clip", "low": 0}])
    for one in (made, clipped):
        page = client.get(f"/p/{made.project.slug}/versions/{one.number}/").content.decode()
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
        assert "An ensemble of version 1 (heads) and version 2 (full)." in words
        assert "trainer none: an ensemble of 2 versions" in words
        assert "λ of the variance" in words
        assert "Its recipe, every value" not in words


def test_it_needs_no_file_of_its_members(made, members, settings):
    for one in members:
        (settings.ARTIFACT_DIR / one.file).unlink()
    assert len(scored(made, ASKED).heads[PREFERENCE]) == 2


def test_it_is_no_hugging_face_model(made):
    assert "Export its members" in run_now(start_export(version=made, form="model")).error
    adapter = run_now(start_export(version=made, form="adapter"))
    assert "no adapters" in adapter.error


def test_no_round_begins_from_several_models(made, members):
    assert rounds._can_begin(members[0], {"name": "full"}, members[0].backbone)
    assert not rounds._can_begin(made, {"name": "full"}, made.backbone)
    transformed = transform_version(version=made, transforms=[{"name": "clip", "low": 0}])
    assert not rounds._can_begin(transformed, {"name": "full"}, made.backbone)


def test_from_the_shell(members):
    names, told = [str(one) for one in members], io.StringIO()
    call_command("average", *names, "--ensemble", "quantile", "--quantile", "0.1", "--wait", "--json", stdout=told)
    assert json.loads(told.getvalue())["number"] == 3
    assert model_of(Version.objects.first()).extras.quantile == 0.1
    with pytest.raises(CommandError, match="quantile: Input should be less than 1"):
        call_command("average", *names, "--ensemble", "quantile", "--quantile", "1.5")
