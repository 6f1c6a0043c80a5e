"""What the API says of jobs, versions, scores, explanations and suites."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field

from annotate.api.paging import Id
from worker.models import Attribution, Job, Score, Suite, Version
from worker.models.job import JobKind, JobState
from worker.models.version import VersionState
from worker.payload import pace

HIDDEN = ("result",)  # names of files of ours
Maker = Annotated[str | None, BeforeValidator(lambda user: user and user.username)]  # by name


class IntervalOut(Schema):
    """A number with its 95 % interval; `why` says what is missing."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    why: str = ""


class JobOut(Schema):
    id: int
    kind: JobKind
    state: JobState
    queue: str
    stage: str
    done: int
    total: int
    percent: float | None = Field(description="Of the stage; null where it cannot be said.")
    seconds_left: float | None = Field(description="Of the stage, at the speed it had so far.")
    attempt: int
    version: int | None = Field(description="Number of the version that it made or is about, once it is done.")
    origin: int | None = Field(description="The job that it repeats.")
    recipe: dict[str, Any] = Field(description="Of a training: the trainer and what was changed.")
    result: dict[str, Any]
    error: str
    advice: str
    created_by: Maker
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @staticmethod
    def resolve_percent(job: Job) -> float | None:
        return pace(job).percent

    @staticmethod
    def resolve_seconds_left(job: Job) -> float | None:
        return pace(job).seconds_left

    @staticmethod
    def resolve_version(job: Job) -> int | None:
        return job.version and job.version.number

    @staticmethod
    def resolve_origin(job: Job) -> int | None:
        return job.origin_id

    @staticmethod
    def resolve_recipe(job: Job) -> dict[str, Any]:
        return job.params.get("recipe", {})

    @staticmethod
    def resolve_result(job: Job) -> dict[str, Any]:
        return {name: value for name, value in job.result.items() if name not in HIDDEN}


class JobEventOut(Schema):
    number: int
    kind: str = Field(description="log, metric or state")
    data: dict[str, Any]
    created_at: datetime


class EventsOut(Schema):
    """Ask again with after = last: nothing is missed and nothing comes twice."""

    events: list[JobEventOut]
    last: int
    ended: bool = Field(description="Whether the job has ended and no event is left.")
    job: JobOut


class VersionOut(Schema):
    number: int
    state: VersionState
    heads: list[str]
    backbone: str
    recipe: dict[str, Any]
    parent: int | None = Field(description="Number of the version that it follows.")
    pair_accuracy: IntervalOut | None = Field(description="On held-out pairs, with Wilson's interval.")
    temperature: float
    mean: float
    std: float
    transforms: list[dict[str, Any]]
    snapshot_sha256: str
    file_sha256: str
    affected_at: datetime | None = Field(description="When something it was trained on was withdrawn.")
    created_at: datetime

    @staticmethod
    def resolve_parent(version: Version) -> int | None:
        return version.parent and version.parent.number

    @staticmethod
    def resolve_pair_accuracy(version: Version) -> Mapping | None:
        return version.metrics.get("pair_accuracy") or None

    @staticmethod
    def resolve_snapshot_sha256(version: Version) -> str:
        return version.snapshot.sha256


class LineageOut(Schema):
    """How many judgements made it, of how many raters, and what came and went since its parent."""

    counts: dict[str, Any] = Field(description="Of its snapshot: used, tied, conflicting, dropped by reason.")
    train: int
    test: int
    withdrawn: int
    raters: int
    added: int | None
    removed: int | None


class StandingOut(Schema):
    suite: int
    name: str
    accuracy: IntervalOut
    categories: dict[str, IntervalOut]
    sections: dict[str, IntervalOut] = Field(description="By a benchmark's own rules, where they apply.")


class VersionDetailOut(VersionOut):
    metrics: dict[str, Any] = Field(description="All that was measured; shares hold value, low, high and n.")
    words: list[str] = Field(description="The same in sentences.")
    lineage: LineageOut
    standing: list[StandingOut]


class ScoreOut(Schema):
    id: int
    item: int
    response: int
    head: str
    value: float
    tokens: int

    @staticmethod
    def resolve_response(score: Score) -> int:
        return score.response_id


class AttributionOut(Schema):
    id: int
    version: int
    item: int
    response: int
    head: str
    method: str
    score: float
    baseline: float
    residual: float
    created_at: datetime

    @staticmethod
    def resolve_version(attribution: Attribution) -> int:
        return attribution.version.number

    @staticmethod
    def resolve_item(attribution: Attribution) -> int:
        return attribution.response.item_id

    @staticmethod
    def resolve_response(attribution: Attribution) -> int:
        return attribution.response_id


class AttributionDetailOut(AttributionOut):
    """baseline + features + tokens, units or layers + residual = score, for methods that add up."""

    tokens: list[dict[str, Any]] = Field(description="text, start, end, part and value of each token.")
    units: list[dict[str, Any]] = Field(description="start, end and value of each stretch of the response.")
    layers: list[dict[str, Any]] = Field(description="name and value of each layer of the backbone.")
    features: dict[str, Any]
    sum: float = Field(description="baseline + features + parts + residual")
    adds_up: bool = Field(description="Whether that is to be the score, by this method.")
    cost: dict[str, Any]


class SuiteOut(Schema):
    id: int
    name: str
    sha256: str
    pairs: int
    questions: int
    each_version: bool = Field(description="Whether every new version is measured on it by itself.")
    created_by: Maker
    created_at: datetime

    @staticmethod
    def resolve_pairs(suite: Suite) -> int:
        return suite.pair_count

    @staticmethod
    def resolve_questions(suite: Suite) -> int:
        return suite.question_count


class ResultOut(Schema):
    version: int
    accuracy: IntervalOut = Field(description="Equal scores count half; Wilson's interval.")
    categories: dict[str, IntervalOut]
    sections: dict[str, IntervalOut]


class ResultsOut(Schema):
    suite: SuiteOut
    trained_on: int = Field(description="Rows whose prompt is trained on in this project: they decide nothing.")
    results: list[ResultOut] = Field(description="Best first.")


Number = Annotated[int, Field(ge=1, le=2**31 - 1)]  # of a version


class Sent(Schema):
    """A body is understood whole or refused."""

    model_config = ConfigDict(extra="forbid")


class TrainIn(Sent):
    trainer: str = Field("heads", description="heads, lora or full")
    overrides: dict[str, Any] = Field(
        default_factory=dict, description='Values by dotted name: {"tuning.epochs": 2}', max_length=100
    )
    backbone: str = Field("", description="Name or source of a registered one; empty: the site's own.", max_length=300)
    queue: str = Field("cpu", pattern="^(cpu|gpu)$")


class RunIn(Sent):
    versions: list[Number] = Field(min_length=1, max_length=50)


class ExplainIn(Sent):
    responses: list[Id] = Field(min_length=1, max_length=100, description="One, a pair, or more.")
    methods: list[str] = Field(default=["exact"], min_length=1, max_length=10)
    head: str = Field("preference", max_length=60)
