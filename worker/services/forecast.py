"""What a training would read and how long it would take, before it is launched.

Counts of texts are exact. Tokens are exact where a worker has counted them for these judgements (a preview job), else
estimated from characters, by what earlier scorings on the same backbone counted. Time is what such jobs took.
"""

from dataclasses import dataclass
from statistics import median

from django.db.models import Sum
from django.db.models.functions import Length

from annotate.models import Item, Project, Response, User
from worker.models import Backbone, Job, Score
from worker.models.job import JobKind, JobState
from worker.models.version import PREFERENCE
from worker.recipes import stored
from worker.rm.recipe import Recipe
from worker.services.job import launch
from worker.services.snapshot import Survey, survey

ASSUMED = 4.0  # characters in a token of English text, until something was counted
LAST = 5  # jobs that a time is taken from


@dataclass(frozen=True)
class Forecast:
    responses: int
    prompts: int
    duplicated: int  # responses whose text stands under the same prompt once more
    exact: bool  # whether a worker counted the next four; else they are estimated
    tokens: int  # of each distinct prompt and response, once
    truncated: int
    identical: int | None  # compared pairs that differ in nothing that is read; None: not counted
    limit: int  # tokens of prompt and response together
    per_token: float | None  # characters in a token, as counted by an earlier scoring; None: assumed
    passes: int  # how often the tokens are read
    rate: float | None  # tokens a second of the jobs that the time is taken from
    jobs: int  # that many

    @property
    def read(self) -> int:
        """Tokens that go through the backbone."""
        return self.tokens * self.passes

    @property
    def seconds(self) -> float | None:
        return self.read / self.rate if self.rate else None


def forecast(*, project: Project, recipe: Recipe, backbone: str, queue: str, found: Survey | None = None) -> Forecast:
    """For the judgements as they are now, or as they were `found`."""
    found = found or survey(project)
    texts = _texts(project, found)
    distinct = dict(texts)
    rates = past_rates(recipe.name, backbone, queue)
    return Forecast(
        responses=len(texts),
        prompts=len({prompt for prompt, _ in distinct}),
        duplicated=len(texts) - len(distinct),
        passes=1 if recipe.name == "heads" else recipe.tuning.epochs,
        rate=median(rates) if rates else None,
        jobs=len(rates),
        **(_counted(project, recipe, backbone, found) or _estimated(list(distinct.values()), recipe, backbone)),
    )


def counting(*, project: Project, recipe: Recipe, backbone: str, **_: object) -> Job | None:
    """The job that counts tokens for this encoding and backbone now, or is about to."""
    params = {"recipe": _reading(recipe), "backbone": backbone}
    return project.jobs.unfinished().filter(kind=JobKind.PREVIEW, params=params).first()


def count_tokens(*, project: Project, recipe: Recipe, backbone: str, queue: str, actor: User | None = None) -> Job:
    """A job that counts what forecast can only estimate; one that is on its way already is not launched again."""
    params = {"recipe": _reading(recipe), "backbone": backbone}
    waiting = counting(project=project, recipe=recipe, backbone=backbone)
    return waiting or launch(project=project, kind=JobKind.PREVIEW, params=params, actor=actor, queue=queue)


def _reading(recipe: Recipe) -> dict:
    """All of a recipe that tokens depend on."""
    return stored(Recipe(encoding=recipe.encoding))


def _counted(project: Project, recipe: Recipe, backbone: str, found: Survey) -> dict | None:
    params = {"recipe": _reading(recipe), "backbone": backbone}
    done = project.jobs.filter(kind=JobKind.PREVIEW, state=JobState.DONE, params=params)
    told = next((job.result for job in done[:LAST] if job.result["judgements"] == found.sha256), None)
    if told is None:
        return None
    counts = {name: told[name] for name in ("tokens", "truncated", "identical")}
    return counts | {"exact": True, "limit": told["max_length"], "per_token": None}  # nosec B105


def _estimated(characters: list[int], recipe: Recipe, backbone: str) -> dict:
    """From the characters of each distinct prompt and response."""
    measured, limit = characters_per_token(backbone), _limit(recipe, backbone)
    sizes = [length / (measured or ASSUMED) for length in characters]
    return {
        "exact": False,
        "tokens": round(sum(min(size, limit) for size in sizes)),
        "truncated": sum(size > limit for size in sizes),
        "identical": None,
        "limit": limit,
        "per_token": measured,
    }


def _texts(project: Project, found: Survey) -> list[tuple[tuple[str, str], int]]:
    """((prompt, response) by their hashes, characters of both) of each response that a used judgement shows."""
    prompts = {pk: _characters(turns) for pk, turns in Item.objects.filter(project=project).values_list("pk", "turns")}
    rows = Response.objects.filter(item__project=project).annotate(size=Length("text"))
    fields = rows.values_list("pk", "item_id", "item__prompt_sha256", "sha256", "size")
    return [((prompt, text), prompts[item] + size) for pk, item, prompt, text, size in fields if pk in found.shown]


def _characters(turns: list[dict]) -> int:
    return sum(len(turn["content"]) for turn in turns)


def characters_per_token(backbone: str) -> float | None:
    """Of the responses that the newest version on this backbone scored; None before there is one."""
    scores = Score.objects.filter(head=PREFERENCE, version__backbone=backbone)
    newest = scores.order_by("-version_id").values_list("version", flat=True).first()
    counted = scores.filter(version=newest).aggregate(tokens=Sum("tokens"), characters=Sum(Length("response__text")))
    return counted["characters"] / counted["tokens"] if counted["tokens"] else None


def _limit(recipe: Recipe, backbone: str) -> int:
    """Tokens of one text: as the recipe says, else what the backbone reads, at most 512, or 2048 where it is causal."""
    known = Backbone.objects.filter(source=backbone).first()
    reads = min(known.context_length, 2048 if known.causal else 512) if known else 512
    return recipe.encoding.max_length or reads


def past_rates(trainer: str, backbone: str, queue: str) -> list[float]:
    """Tokens a second, from start to end, of the last jobs of this trainer on this backbone and queue."""
    alike = {"params__recipe__name": trainer, "params__backbone": backbone, "queue": queue}
    jobs = Job.objects.filter(kind=JobKind.TRAIN, state=JobState.DONE, params__tokens__gt=0, **alike)
    return [job.params["tokens"] / max(_seconds(job), 0.1) for job in jobs.order_by("-pk")[:LAST]]


def _seconds(job: Job) -> float:
    return (job.finished_at - job.started_at).total_seconds()
