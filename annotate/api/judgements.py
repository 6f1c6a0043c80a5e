"""Judgements out: as rows, page by page; and as the file that the Export page makes, streamed."""

from typing import Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Field, Query, Router, Schema
from pydantic import AwareDatetime

from annotate.api.auth import project_for_token
from annotate.api.paging import Id, Page, Paging, page_of
from annotate.formats.training import EXPORTS
from annotate.formats.written import CONTAINERS
from annotate.models import Judgement
from annotate.models.judgement import Outcome, Source
from annotate.services.exported import MARK, Export, export_for
from annotate.views.export import TYPES

router = Router(tags=["judgements"])
FILE = {name: {"schema": {"type": "string", "format": "binary"}} for name in TYPES.values()}
PLAIN = (
    "id", "item_id", "task_id", "source", "kind", "revision", "shown_order", "outcome", "ranking", "strength", "reason",
    "omissions", "ratings", "rationales", "principles", "steps", "turns", "safety", "checked", "rationale",
    "corrections", "demonstration", "schema_version", "weight", "active_ms", "created_at",
)  # fmt: skip


class SpanOut(Schema):
    response: int = Field(alias="response_id")
    start: int
    end: int
    quote: str
    category: str
    severity: int | None
    note: str
    correction: str


class JudgementOut(Schema):
    """The answer of one rater, in its newest revision; responses by their ids."""

    id: int
    item: int = Field(alias="item_id")
    task: int = Field(alias="task_id")
    rater: str
    source: Literal[tuple(Source.values)]
    kind: str
    revision: int
    shown_order: list[int]
    outcome: Literal[tuple(Outcome.values)]
    ranking: list[list[int]]
    strength: int | None
    reason: str
    spans: list[SpanOut]
    omissions: list[dict]
    ratings: dict
    rationales: dict
    principles: list[str]
    steps: dict
    turns: dict
    safety: dict
    checked: list[int]
    rationale: str
    corrections: dict
    demonstration: str
    schema_version: int
    weight: float
    active_ms: int
    created_at: AwareDatetime


class JudgementsAsked(Paging):
    item: Id | None = None
    source: Literal[tuple(Source.values)] | None = None


class ExportAsked(Schema):
    format: Literal[tuple(EXPORTS)] = "touchstone"
    container: Literal[tuple(CONTAINERS)] = "jsonl"
    sources: list[Literal[tuple(Source.values)]] = Field([], description="Of whom; none: as on the Export page.")
    rows: Literal["pair", "judgement"] = Field("pair", description="One row for each of them.")
    after: int = Field(0, ge=0, le=2**63 - 1, description="`cursor` or `item` of the last row that arrived.")


@router.get("/projects/{slug:slug}/judgements", response=Page[JudgementOut], operation_id="list_judgements")
def list_judgements(request: HttpRequest, slug: str, asked: Query[JudgementsAsked]) -> dict:
    """Current judgements, in the order in which they were made."""
    project = project_for_token(request, slug, "research")
    rows = project.judgements.current().select_related("rater").prefetch_related("spans")
    wanted = {"item": asked.item, "source": asked.source}
    page = page_of(rows.filter(**{name: value for name, value in wanted.items() if value is not None}), asked)
    return page | {"items": [_told(row) for row in page["items"]]}


@router.get(
    "/projects/{slug:slug}/judgements/export",
    operation_id="export_judgements",
    openapi_extra={"responses": {200: {"description": "The file.", "content": FILE}}},
)
def export_judgements(request: HttpRequest, slug: str, asked: Query[ExportAsked]) -> StreamingHttpResponse:
    """The file of the Export page: our own format without loss, or rows for training. It is made while it arrives."""
    project = project_for_token(request, slug, "research")
    chosen = {"format": asked.format, "container": asked.container, "after": asked.after}
    export = Export(sources=tuple(asked.sources), together=asked.rows == "pair", **chosen)
    chunks = export_for(project=project, export=export, actor=request.auth.user)
    return StreamingHttpResponse(chunks, content_type=TYPES[asked.container])


def _told(row: Judgement) -> dict:
    plain = {name: getattr(row, name) for name in PLAIN}
    spans = [{"response_id": one.response_id} | {name: getattr(one, name) for name in MARK} for one in row.spans.all()]
    return plain | {"spans": spans, "rater": row.rater.username if row.rater else row.rater_name}
