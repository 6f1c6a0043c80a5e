"""What the server says, as types for editors and checkers. Answers may hold more than is named here."""

from typing import Any, TypedDict


class Interval(TypedDict):
    """A number with its 95 % interval; `why` says what is missing."""

    value: float | None
    low: float | None
    high: float | None
    n: int | None
    why: str


class Job(TypedDict):
    id: int
    kind: str
    state: str
    queue: str
    stage: str
    done: int
    total: int
    percent: float | None
    seconds_left: float | None
    attempt: int
    version: int | None
    origin: int | None
    recipe: dict[str, Any]
    result: dict[str, Any]
    error: str
    advice: str
    created_by: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class JobEvent(TypedDict):
    number: int
    kind: str
    data: dict[str, Any]
    created_at: str


class Version(TypedDict):
    number: int
    state: str
    heads: list[str]
    backbone: str
    recipe: dict[str, Any]
    parent: int | None
    pair_accuracy: Interval | None
    temperature: float
    mean: float
    std: float
    transforms: list[dict[str, Any]]
    snapshot_sha256: str
    file_sha256: str
    affected_at: str | None
    created_at: str


class Score(TypedDict):
    id: int
    item: int
    response: int
    head: str
    value: float
    tokens: int


class Attribution(TypedDict):
    id: int
    version: int
    item: int
    response: int
    head: str
    method: str
    score: float
    baseline: float
    residual: float
    created_at: str


class Suite(TypedDict):
    id: int
    name: str
    sha256: str
    pairs: int
    questions: int
    each_version: bool
    created_by: str | None
    created_at: str
