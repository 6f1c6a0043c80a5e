"""Pages of a list that others write to meanwhile: in the order of ids, each beginning after the last one read.

What was there at the start is read exactly once, however much is added or removed on the way. What is being written
at that moment is in it or not: on PostgreSQL a row may appear behind one with a higher id that was read already, so
who wants every row of a busy project reads the last pages again.
"""

from typing import Annotated, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet
from ninja import Field, Schema

T = TypeVar("T")
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]  # what a database can compare with its ids


class Paging(Schema):
    """The query of a list."""

    cursor: str = Field("", description="`next` of the page before; empty: from the beginning.")
    limit: int = Field(100, ge=1, le=1000)


class Page(Schema, Generic[T]):
    items: list[T]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


def page_of(rows: QuerySet, paging: Paging, newest: bool = False) -> dict:
    """One page of the rows, the newest or the oldest first, as a `Page` is made from. ValidationError for a cursor
    that is none of this list's."""
    signer = Signer(salt=f"cursor of {rows.model._meta.label}{' back' * newest}")
    rows = rows.order_by("-pk" if newest else "pk")
    if last := _after(signer, paging.cursor):
        rows = rows.filter(pk__lt=last) if newest else rows.filter(pk__gt=last)
    found = list(rows[: paging.limit + 1])
    shown = found[: paging.limit]
    return {"items": shown, "next": signer.sign_object(shown[-1].pk) if len(found) > len(shown) else None}


def _after(signer: Signer, cursor: str) -> int:
    try:
        return signer.unsign_object(cursor) if cursor else 0
    except (BadSignature, ValueError):
        raise ValidationError({"cursor": "This is no cursor of this list; begin again without one."}) from None
