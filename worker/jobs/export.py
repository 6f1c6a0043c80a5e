"""A version becomes a folder that transformers (or peft) loads, checked by loading it, and one archive of it."""

import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path

from annotate.models import Response
from worker.card import card
from worker.jobs.dataset import example_of
from worker.jobs.loading import model_of
from worker.models import Job, Version
from worker.models.job import JobState
from worker.progress import Progress
from worker.rm import backbone as backbones
from worker.rm import export, export_adapter, exportable, source
from worker.rm.tuned import TunedModel
from worker.rm.types import Example, Report, silent
from worker.services.export import FOLDER, archive_of
from worker.store import artifacts

PROBES = 16  # responses whose scores must be the same


def run(job: Job, progress: Progress) -> dict:
    """params: version (id), form ("model" or "adapter")."""
    version = Version.objects.select_related("project", "snapshot").get(pk=job.params["version"], project=job.project)
    _sweep()
    draft = artifacts().draft(f"{FOLDER}/{job.claim}")
    try:
        told = export_version(version, draft / _name(version), job.params["form"], progress.report)
        progress.report("writing the archive", 3, 4)
        archive = _zip(draft)
        size = archive.stat().st_size
        artifacts().publish(archive, archive_of(version, told["form"]))  # in the place of an older one
        return progress.finish(lambda: _store(job, version, told | {"bytes": size}))
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def export_version(version: Version, target: Path, form: str, report: Report = silent) -> dict:
    """Write the folder, load it again, compare scores; what was written. Nothing stays after a ValueError."""
    try:
        return _write(version, target, form, report)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _write(version: Version, target: Path, form: str, report: Report) -> dict:
    report("loading the version", 0, 4, {})
    model, examples = model_of(version), _probes(version)
    report("writing the folder", 1, 4, {})
    encoder = backbones.load(model.backbone_name, model.encoding).encoder
    kind = export_adapter.write(model, target) if form == "adapter" else export.write(exportable.of(model), target)
    report("comparing its scores", 2, 4, {})
    expected = exportable.scores(model, examples)
    if form == "adapter":
        found = export_adapter.check(model.backbone_name, target, encoder, examples, expected)
    else:
        found = export.check(target, encoder, examples, expected)
    written = {
        "form": form,
        "class": kind,
        "base": source.public_name(version.backbone),
        "max_length": encoder.max_length,
        "truncation": encoder.encoding.truncation,
        "remote_code": kind.startswith("Touchstone"),
        "bf16": isinstance(model, TunedModel) and model.recipe.tuning.bf16,
        **asdict(found),
    }
    (target / "README.md").write_text(card(version, written), encoding="utf-8")
    return {"version": str(version)} | written


def _probes(version: Version) -> list[Example]:
    rows = Response.objects.filter(item__project=version.project_id).select_related("item").order_by("pk")[:PROBES]
    return [example_of(row) for row in rows] or [Example("", "", (("user", "Is it raining?"),), "It is not.")]


def _name(version: Version) -> str:
    return f"{version.project.slug}-{version.number}"


def _zip(draft: Path) -> Path:
    """Weights do not get smaller, so nothing is compressed."""
    found = draft / "archive.zip"
    with zipfile.ZipFile(found, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(draft.glob("*/*")):
            archive.write(path, path.relative_to(draft))
    return found


def _store(job: Job, version: Version, told: dict) -> dict:
    Job.objects.filter(pk=job.pk).update(version=version)
    return told


def _sweep() -> None:
    """Remove drafts of runs that died."""
    drafts = [path for path in artifacts().draft(f"{FOLDER}/any").parent.iterdir() if path.is_dir()]
    claims = set(Job.objects.filter(state=JobState.RUNNING).values_list("claim", flat=True))
    for path in drafts:
        if path.stem not in claims:
            shutil.rmtree(path, ignore_errors=True)
