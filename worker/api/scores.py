"""Scores: of the project's responses, stored; and of texts that are sent, as a job."""

import json
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema

from annotate.api.auth import project_for_token
from annotate.api.paging import Id, Page, Paging, page_of
from worker.api.jobs import ONE as JOB
from worker.api.jobs import jobs_of
from worker.api.schemas import JobOut, Number, ScoreOut
from worker.api.sent import GIVES_LINES, LINES, ONLY_LINES, TAKES_LINES, file_sent
from worker.api.versions import ONE, version_of
from worker.models import Job
from worker.models.job import JobKind, JobState
from worker.services.job import launch
from worker.services.scored_file import KEPT_DAYS, in_store, results, start_scoring
from worker.store import artifacts

router = Router(tags=["scores"])
BATCH = 1000  # rows that are in memory at once
COLUMNS = ("id", "item", "response_id", "head", "value", "tokens")
After = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Wanted(Schema):
    """Which scores."""

    head: str = Field("", max_length=60, description="preference, or another of the version's heads; empty: all.")
    item: Id | None = Field(None, description="Of the responses of this item alone.")


@router.get(f"{ONE}/scores", response=Page[ScoreOut], operation_id="list_scores")
def list_scores(request: HttpRequest, slug: str, number: Number, paging: Query[Paging], wanted: Query[Wanted]) -> dict:
    """Stored scores: what a version gives the project's responses, one row for each head."""
    return page_of(_scores(request, slug, number, wanted), paging)


@router.get(f"{ONE}/scores.jsonl", operation_id="stream_scores", openapi_extra=GIVES_LINES)
def stream_scores(
    request: HttpRequest, slug: str, number: Number, wanted: Query[Wanted], after: After = 0
) -> StreamingHttpResponse:
    """Stored scores as JSON lines, by id. A stream that broke off goes on with `after` the last id."""
    rows = _scores(request, slug, number, wanted)
    return StreamingHttpResponse(_lines(rows, after), content_type=LINES)


def _scores(request: HttpRequest, slug: str, number: int, wanted: Wanted) -> QuerySet:
    version = version_of(project_for_token(request, slug, "research"), number)
    rows = version.scores.annotate(item=F("response__item"))
    rows = rows.filter(head=wanted.head) if wanted.head else rows
    return rows.filter(item=wanted.item) if wanted.item else rows


def _lines(rows: QuerySet, after: int) -> Iterator[bytes]:
    """In batches by id, so that memory stays flat and nothing is held open."""
    rows = rows.order_by("pk").values_list(*COLUMNS)
    names = [name.removesuffix("_id") for name in COLUMNS]
    while batch := list(rows.filter(pk__gt=after)[:BATCH]):
        yield "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in batch).encode()
        after = batch[-1][0]


@router.post(f"{ONE}/score", response={202: JobOut}, operation_id="score_responses")
def score_responses(request: HttpRequest, slug: str, number: Number) -> tuple[int, Job]:
    """Score the project's responses, anew where they have scores. If a job does so already, it is that one."""
    project = project_for_token(request, slug, "manage")
    version = version_of(project, number)
    params = {"version": version.pk}
    return 202, version.scoring or launch(project=project, kind=JobKind.SCORE, params=params, actor=request.user)


@router.post(f"{ONE}/score-texts", response={202: JobOut}, operation_id="score_texts", openapi_extra=TAKES_LINES)
def score_texts(request: HttpRequest, slug: str, number: Number) -> tuple[int, Job]:
    """Score texts that are sent: JSON lines with prompt or turns, and response or responses; a bad one fails it."""
    project = project_for_token(request, slug, "manage")
    version = version_of(project, number)
    file = file_sent(request, settings.UPLOAD_MAX_BYTES, ONLY_LINES)
    return 202, start_scoring(version=version, file=file, actor=request.user)


# ---- What a scoring of texts gave


class Place(Schema):
    cursor: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(0, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=1000)


class ScoredPage(Schema):
    """Lines as they were sent, with what the version says of them."""

    items: list[dict]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


@router.get(f"{JOB}/scored", response=ScoredPage, operation_id="list_scored")
def list_scored(request: HttpRequest, slug: str, job: Id, place: Query[Place]) -> dict:
    """What a scoring of texts gave, in the order of the lines that were sent."""
    with artifacts().local(_result(request, slug, job)) as path, path.open("rb") as file:
        _seek(file, place.cursor)
        lines = [json.loads(line) for _, line in zip(range(place.limit), file, strict=False)]
        here, end = file.tell(), file.seek(0, 2)
    return {"items": lines, "next": str(here) if here < end else None}


@router.get(f"{JOB}/scored.jsonl", operation_id="stream_scored", openapi_extra=GIVES_LINES)
def stream_scored(request: HttpRequest, slug: str, job: Id) -> StreamingHttpResponse:
    """What a scoring of texts gave, as JSON lines."""
    return StreamingHttpResponse(artifacts().stream(_result(request, slug, job)), content_type=LINES)


def _result(request: HttpRequest, slug: str, pk: int) -> str:
    """The stored result of a scoring that is done; 404 once it was swept."""
    project = project_for_token(request, slug, "manage")
    job = get_object_or_404(jobs_of(project), pk=pk, kind=JobKind.FILE, state=JobState.DONE)
    if job.result["result"] not in results():
        raise Http404(f"The result was deleted after {KEPT_DAYS} days: score the texts again.")
    return in_store(job.result["result"])


def _seek(file: BinaryIO, place: int) -> None:
    """To the beginning of a line; a place inside of one was told by nobody."""
    size = file.seek(0, 2)
    file.seek(min(max(0, place - 1), size))
    if place and file.read(1) != b"\n":
        raise ValidationError({"cursor": "This is no cursor of this list; begin again without one."})
