"""A version scores some responses twice: with its backbone in float32, and in bfloat16. A summary keeps both."""

from annotate.models import Response
from worker.jobs.dataset import example_of
from worker.jobs.loading import model_of
from worker.jobs.scored import scored
from worker.models import Job, Version
from worker.progress import Progress
from worker.rm.precision import precision
from worker.rm.types import PREFERENCE
from worker.services.noise import NOISE
from worker.services.summary import keep


def run(job: Job, progress: Progress) -> dict:
    """params: version (id), responses (at most). What was measured before is replaced."""
    version = Version.objects.get(pk=job.params["version"], project=job.project)
    responses = drawn(job)
    if not responses:
        raise ValueError("There is no response to score: bring in items whose responses can be compared.")
    examples, model, found = [example_of(one) for one in responses], model_of(version), []
    for half, bf16 in enumerate((False, True)):

        def report(stage: str, done: int, total: int, metrics: dict, half: int = half) -> None:
            progress.report("scoring", half * len(examples) + done, 2 * len(examples), metrics)

        with precision(model, bf16=bf16):  # without the cache, whose states are those of one precision
            found.append(scored(version, examples, None, report).heads[PREFERENCE].tolist())
    return progress.finish(lambda: _store(job, version, responses, *found))


def drawn(job: Job) -> list[Response]:
    """Whole items with two responses or more, by the hash of their prompts, as long as these are no more than asked."""
    most, found = job.params["responses"], []
    items = job.project.items.filter(responses__index=1).order_by("prompt_sha256", "pk")
    for item in items[: most // 2]:
        own = list(item.responses.order_by("index")[:most])
        if found and len(found) + len(own) > most:
            break
        for response in own:
            response.item = item
        found += own
    return found


def _store(job: Job, version: Version, responses: list[Response], exact: list[float], rounded: list[float]) -> dict:
    rows = [(r.item_id, a, b) for r, a, b in zip(responses, exact, rounded, strict=True) if a == a and b == b]
    items, exact, rounded = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
    if not items:
        raise ValueError("No response has a score: this version's transforms know no reference answer to them.")
    values = {"items": items, "exact": exact, "rounded": rounded, "device": _device()}
    keep(version=version, name=NOISE, made_of=version.file_sha256, values=values)
    Job.objects.filter(pk=job.pk).update(version=version)
    return {"responses": len(items), "largest": max(abs(a - b) for a, b in zip(exact, rounded, strict=True))}


def _device() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
