"""Versions that hold what was withdrawn, by their own data or by the weights that they were made from."""

import pytest
from django.utils import timezone

from annotate.models import Judgement
from tests.worker.test_rounds import trained
from worker.models import Version
from worker.progress import Progress
from worker.services.affected import note_withdrawals
from worker.services.job import HERE, launch, run_now
from worker.services.training import start_training
from worker.services.transform import transform_version


@pytest.fixture
def clean(judged):
    """Erin's judgements train the first version and not the second."""
    first = trained(judged)
    Judgement.objects.filter(rater_name="Erin").update(withdrawn_at=timezone.now())
    return first


def made(project, **params):
    kind = "average" if "versions" in params else "train"
    return trained(project, launch(project=project, kind=kind, params=params))


def marks(project):
    return dict(project.versions.order_by("number").values_list("number", "affected"))


def test_what_began_from_the_weights_of_a_marked_version_is_marked(judged, clean):
    warm = made(judged, warm=clean.pk)
    made(judged, versions=[trained(judged).pk, warm.pk])
    note_withdrawals(project=judged)
    assert marks(judged) == {1: {"withdrawn": 4}, 2: {"inherited": 1}, 3: {}, 4: {"inherited": 2}}


def test_the_same_weights_transformed_are_marked_as_they_are(judged, clean):
    warm = made(judged, warm=clean.pk)
    transform_version(version=warm, transforms=[{"name": "clip", "low": 0}])
    note_withdrawals(project=judged)
    assert marks(judged) == {1: {"withdrawn": 4}, 2: {"inherited": 1}, 3: {"inherited": 2}}


def test_what_is_taken_back_while_a_version_is_trained_marks_it(judged, monkeypatch):
    finish = Progress.finish

    def withdrawn(self, store):
        Judgement.objects.filter(rater_name="Erin").update(withdrawn_at=timezone.now())
        return finish(self, store)

    monkeypatch.setattr(Progress, "finish", withdrawn)
    job = run_now(start_training(project=judged, queue=HERE))
    assert job.state == "done", job.error
    assert Version.objects.get().affected == {"withdrawn": 4}
