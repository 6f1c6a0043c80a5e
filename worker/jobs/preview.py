"""What a training would read, counted by the backbone's own tokenizer on the one encode path."""

from itertools import chain

from annotate.models import Project, Response
from worker.jobs.dataset import example_of
from worker.jobs.files import batches
from worker.models import Job
from worker.progress import Progress
from worker.rm import backbone as backbones
from worker.rm.encode import Encoded
from worker.rm.recipe import Recipe
from worker.services.reading import chunks
from worker.services.snapshot import Survey, survey, verdicts_of


def run(job: Job, progress: Progress) -> dict:
    """params: recipe, backbone. It is of the judgements as they are now, named by the hash of their snapshot."""
    found = survey(job.project)
    progress.report("loading the backbone", 0, 1)
    encoder = backbones.load(job.params["backbone"], Recipe.model_validate(job.params["recipe"]).encoding).encoder
    responses = _shown(job.project, found)
    encoded: list[Encoded] = []
    for batch in batches(responses):
        encoded += encoder.encode_all([example_of(response) for response in batch])
        progress.report("counting tokens", len(encoded), len(responses))
    counts = counts_of(responses, encoded, _compared(job.project, found))
    return {"judgements": found.sha256, "max_length": encoder.max_length, **counts}


def _shown(project: Project, found: Survey) -> list[Response]:
    rows = Response.objects.filter(item__project=project).select_related("item").order_by("pk")
    return [response for response in rows.iterator(chunk_size=2000) if response.pk in found.shown]


def _compared(project: Project, found: Survey) -> set[tuple[int, int]]:
    used = {pk for pk, _ in found.rows}
    rows = chain.from_iterable(chunks(project.judgements.order_by("pk"), ("pk", "shown_order", "outcome", "ranking")))
    return {(first, second) for row in rows if row.pk in used for first, second, _ in verdicts_of(row)}


def counts_of(responses: list[Response], encoded: list[Encoded], compared: set[tuple[int, int]]) -> dict[str, int]:
    """tokens and truncated: of each distinct prompt and response once. identical: `compared` pairs of different texts
    that are the same to the model, since what tells them apart was cut."""
    ids = {response.pk: one.ids for response, one in zip(responses, encoded, strict=True)}
    texts = {response.pk: response.sha256 for response in responses}
    distinct = {(r.item.prompt_sha256, r.sha256): one for r, one in zip(responses, encoded, strict=True)}.values()
    return {
        "tokens": sum(len(one.ids) for one in distinct),
        "truncated": sum(one.cut > 0 for one in distinct),
        "identical": sum(ids[a] == ids[b] and texts[a] != texts[b] for a, b in compared),
    }
