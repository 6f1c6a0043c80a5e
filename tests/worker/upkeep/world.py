"""A small store in which everything is: judged by people and in bulk, counted, frozen, scored, measured, exported."""

import hashlib
import os
import time
import zipfile

import numpy as np
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from annotate.models import Project, Response, User
from annotate.services.judgement import revise, submit_judgement
from annotate.services.queue import lease_next
from annotate.services.tally import count_some
from annotate.world import make_world
from tests.annotate.making import make_known
from worker.models import Candidate, CandidateScore, Job, Pool, Score, Snapshot, SuitePair, SuiteScore, Version
from worker.models.job import JobState
from worker.models.version import VersionState
from worker.services.claim import claim, end
from worker.services.columns import keep_columns
from worker.services.demo import create_demo
from worker.services.export import archive_of
from worker.services.standing import settle
from worker.services.suite import freeze_held_out
from worker.services.upload import start_import

HEADS = ["preference", "attribute:helpful"]


def fill() -> Project:
    """The project "demo", with a version whose file holds a few bytes, and a person at work."""
    create_demo(make_world(questions=25, pool=2, candidates=4, open_pairs=30))
    project, admin = Project.objects.get(slug="demo"), User.objects.get(username="admin")
    judge(project, User.objects.get(username="annotator"))
    make_known(project, "Is it known?")
    while count_some(project=project):
        pass
    version = make_version(project)
    give_scores(project, version)
    archive = settings.ARTIFACT_DIR / archive_of(version, "model")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("demo-1/README.md", "# A model\n")
    start_import(project=project, file=SimpleUploadedFile("more.jsonl", b"{}"), format="jsonl", actor=admin)
    long_ago = time.time() - 3600
    for path in [*settings.ARTIFACT_DIR.rglob("*"), *settings.UPLOAD_DIR.iterdir()]:
        os.utime(path, (long_ago, long_ago))
    return project


def answer(lease, best: int = 0) -> dict:
    """What a page would send."""
    shown = lease.shown_order
    texts = {str(r.pk): r.sha256 for r in Response.objects.filter(pk__in=shown)}
    text = Response.objects.get(pk=shown[1]).text
    return {
        "outcome": "ranking",
        "ranking": [[shown[best]], [shown[1 - best]]],
        "strength": 2,
        "spans": [{"response": shown[1], "start": 0, "end": 5, "quote": text[:5], "category": "wrong"}],
        "checked": [shown[0]],
        "texts_sha256": texts | {"prompt": lease.task.item.prompt_sha256},
        "rationale": "The first says it “plainly” — ½ 😀",
    }


def judge(project: Project, user: User, many: int = 3) -> None:
    """Some tasks answered, the first of them twice, and one left on the desk."""
    for n in range(many):
        lease = lease_next(project=project, user=user)
        said = {"user": user, "active_ms": 9000 + n}
        judgement = submit_judgement(assignment=lease, answer=answer(lease), idempotency_key=f"{user} {n}", **said)
        if n == 0:
            revise(judgement=judgement, answer=answer(lease, 1), idempotency_key=f"{user} again", **said)
    lease_next(project=project, user=user)


def make_version(project: Project) -> Version:
    """Trained by the demo's job, on its snapshot."""
    job = claim(Job.objects.get(kind="train").pk)
    name, weights = f"job{job.pk}-{job.claim}.safetensors", bytes(range(256)) * 64
    settings.ARTIFACT_DIR.mkdir(parents=True, exist_ok=True)
    (settings.ARTIFACT_DIR / name).write_bytes(weights)
    version = Version.objects.create(
        project=project, number=1, state=VersionState.PROMOTED, recipe={"name": "heads"},
        snapshot=Snapshot.objects.get(), trained_by=job, backbone="minilm", encode_hash="e" * 64, heads=HEADS,
        file=name, file_sha256=hashlib.sha256(weights).hexdigest(), temperature=0.1 + 0.2,
    )  # fmt: skip
    end(job, JobState.DONE, version=version)
    return version


def give_scores(project: Project, version: Version) -> None:
    """By chance: of responses, of a pool with its columns, and of a suite with the standing."""
    draw = np.random.default_rng(1)
    responses = list(Response.objects.filter(item__project=project))
    Score.objects.bulk_create(
        Score(version=version, response=one, head=head, value=float(np.float32(draw.normal())), tokens=7)
        for one in responses
        for head in HEADS
    )
    pool = Pool.objects.get()
    candidates = list(Candidate.objects.filter(pool=pool).order_by("pk"))
    values = draw.normal(size=len(candidates))
    CandidateScore.objects.bulk_create(
        CandidateScore(version=version, candidate=one, head="preference", value=float(value))
        for one, value in zip(candidates, values, strict=True)
    )
    keep_columns(pool=pool, version=version, columns={"preference": values})
    suite = freeze_held_out(project=project, name="held out")
    pairs = SuitePair.objects.filter(suite=suite)
    SuiteScore.objects.bulk_create(
        SuiteScore(version=version, pair=pair, chosen=float(a), rejected=float(b))
        for pair, (a, b) in zip(pairs, draw.normal(size=(len(pairs), 2)), strict=True)
    )
    settle(suite, [version])
