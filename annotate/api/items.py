"""Items in, from a file of any size and any known format; and items out, page by page."""

import re
from typing import Literal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema
from pydantic import AwareDatetime

from annotate.api.auth import project_for_token
from annotate.api.errors import problem
from annotate.api.once import spooled
from annotate.api.paging import Id, Page, Paging, page_of
from annotate.formats import AUTO, FORMATS
from annotate.models import Item, Project
from annotate.models.item import Split
from annotate.services.item import import_items
from annotate.services.preview import preview_items

router = Router(tags=["items"])
Format = Literal[(AUTO, *FORMATS)]
TYPES = (
    "application/x-ndjson",
    "application/jsonl",
    "application/json",
    "text/csv",
    "text/tab-separated-values",
    "application/vnd.apache.parquet",
    "application/gzip",
    "application/octet-stream",
)
PLACE = re.compile(r"(?:line|record) (\d+): (.*)", re.DOTALL)
BODY = {"requestBody": {"required": True, "content": {name: {"schema": {"type": "string"}} for name in TYPES}}}


class ImportedOut(Schema):
    """What is new in the project."""

    items: int
    responses: int
    judgements: int
    spans: int
    skipped: int = Field(description="Records that held no new item.")
    warnings: list[str]


class CheckedOut(Schema):
    """What an import would do."""

    format: str = Field(description="As given, or as recognised.")
    items: int
    responses: int
    judgements: int
    sources: dict[str, int]
    spans: dict[str, int]
    criteria: list[str]
    new: dict[str, int]
    skipped: int
    added: dict = Field(description="What the schema of the project would gain.")
    warnings: list[str]


class ResponseOut(Schema):
    id: int
    index: int
    text: str
    steps: list[dict]
    source: str | None = Field(description="Who wrote it; null without the right and the scope to research.")
    metadata: dict | None = Field(description="The same.")


class ItemOut(Schema):
    id: int
    external_id: str
    turns: list[dict]
    context: list[dict]
    split: str
    created_at: AwareDatetime
    metadata: dict | None = Field(description="Null without the right and the scope to research.")
    responses: list[ResponseOut]


class ItemsAsked(Paging):
    q: str = Field("", description="Words in the id, the conversation or a response.")
    split: Literal[tuple(Split.values)] | None = None


@router.post("/projects/{slug:slug}/items/check", response=CheckedOut, operation_id="check_items", openapi_extra=BODY)
def check_items(request: HttpRequest, slug: str, format: Format = AUTO) -> HttpResponse | dict:
    """A dry run: read and check the whole file, and say what an import would bring. Nothing is written."""
    return _taken(request, project_for_token(request, slug, "manage"), format, preview_items)


@router.post("/projects/{slug:slug}/items", response=ImportedOut, operation_id="import_items", openapi_extra=BODY)
def post_items(request: HttpRequest, slug: str, format: Format = AUTO) -> HttpResponse | dict:
    """Import the body, a file of JSON lines or of any format that the Import page takes, also inside gzip.

    It is read piece by piece, checked whole first, and written in one transaction or not at all: an error names its
    line. What is there already is passed by, so the same file can be sent again.
    """
    project = project_for_token(request, slug, "manage")
    return _taken(request, project, format, import_items, actor=request.auth.user)


def _taken(request: HttpRequest, project: Project, format: str, act: object, **more: object) -> HttpResponse | dict:
    if request.content_type not in TYPES:
        return problem(415, f"The body must be one of {', '.join(TYPES)}; its bytes tell what it is.")
    file = spooled(request)
    if file is None:
        return problem(413, f"The body is larger than {settings.UPLOAD_MAX_BYTES} bytes: send it in parts.")
    try:
        return act(project=project, file=file, format=format, **more)
    except ValidationError:
        raise  # a ValueError to Python's eyes, but one that names its fields
    except ValueError as error:
        return problem(422, f"Nothing was imported: {error}", [_placed(str(error))])


def _placed(text: str) -> dict:
    """ "line 17: why" with its number."""
    found = PLACE.fullmatch(text)
    return {"line": int(found[1]), "message": found[2]} if found else {"message": text}


@router.get("/projects/{slug:slug}/items", response=Page[ItemOut], operation_id="list_items")
def list_items(request: HttpRequest, slug: str, asked: Query[ItemsAsked]) -> dict:
    """Items with their responses, in the order in which they came."""
    project = project_for_token(request, slug, "review")
    rows = _items(project).holding(asked.q) if asked.q else _items(project)
    page = page_of(rows.filter(split=asked.split) if asked.split else rows, asked)
    return page | {"items": [_told(project, item) for item in page["items"]]}


@router.get("/projects/{slug:slug}/items/{int:pk}", response=ItemOut, operation_id="get_item")
def get_item(request: HttpRequest, slug: str, pk: Id) -> dict:
    """One item with its responses."""
    project = project_for_token(request, slug, "review")
    return _told(project, get_object_or_404(_items(project), pk=pk))


def _items(project: Project) -> QuerySet:
    return project.items.prefetch_related("responses")


def _told(project: Project, item: Item) -> dict:
    """Who reviews is blind to who wrote a response, and to what the file says of it."""
    knows = "research" in project.rights
    plain = {name: getattr(item, name) for name in ("id", "external_id", "turns", "split", "created_at")}
    return plain | {
        "context": passages(item),
        "metadata": item.metadata if knows else None,
        "responses": [
            {"id": one.pk, "index": one.index, "text": one.text, "steps": one.steps}
            | {"source": one.source if knows else None, "metadata": one.metadata if knows else None}
            for one in item.responses.all()
        ],
    }


def passages(item: Item) -> list[dict]:
    """The context as it is read: a title and a text."""
    return [{"title": one.get("title", ""), "text": one["text"]} for one in item.context]
