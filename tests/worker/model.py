"""A version with a real file, whose heads are numbers drawn once: for tests of what is done with scores."""

from functools import cache

import torch
from django.conf import settings

from tests.inspector.making import make_version
from worker.models import Version
from worker.rm import backbone, checkpoint, features
from worker.rm.heads import RewardModel
from worker.rm.layers import Linear

HEADS = ("preference", "attribute:helpful", "segment:wrong")


@cache
def model(seed: int = 0) -> RewardModel:
    """All the heads there are, of random weights on the bundled backbone."""
    torch.set_num_threads(1)
    minilm, draw = backbone.load("minilm"), torch.Generator().manual_seed(seed)
    width = 2 * minilm.dim + len(features.SURFACE) + len(features.COSINES) + 1
    return RewardModel(
        backbone_name="minilm",
        backbone_hash=minilm.hash,
        encode_hash=minilm.encoder.hash,
        rule="sentence",
        categories=("wrong",),
        rows=HEADS[1:],
        segment=_linear(draw, 1, minilm.dim + len(features.SEGMENT)),
        response=_linear(draw, len(HEADS), width),
    )


def _linear(draw: torch.Generator, outputs: int, inputs: int) -> Linear:
    return Linear(0.2 * torch.randn(outputs, inputs, generator=draw), torch.zeros(inputs), torch.zeros(outputs))


def scoring_version(project, number: int = 1, seed: int = 0) -> Version:
    """A version that can score; its file lies in the test's own folder."""
    version, name = make_version(project, number), f"job{number}-test.safetensors"
    sha256 = checkpoint.save(model(seed), settings.ARTIFACT_DIR / name)
    Version.objects.filter(pk=version.pk).update(file=name, file_sha256=sha256, heads=list(HEADS))
    version.refresh_from_db()
    return version
