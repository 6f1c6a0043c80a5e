"""Items in, from a file: read and checked whole first, then written in one transaction."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max

from annotate.formats import Record, read, recognised
from annotate.formats.holds import Holds, admit, warnings
from annotate.formats.record import prompt_sha256, split_of, text_sha256
from annotate.models import Item, Judgement, Project, Response, Span, Task, User
from annotate.models.judgement import Source
from annotate.prepared import insert_all
from annotate.services.event import record
from annotate.services.imported import judgement_rows
from annotate.services.judgement import store_judgements
from annotate.services.project import change_schema
from annotate.services.task import make_tasks

BATCH = 500  # records
Report = Callable[[str, int, int], object]
Placed = tuple[str, str, Record]  # "line 17", the item's key, its record


def silent(stage: str, done: int, total: int) -> None:
    """A Report that says nothing."""


@dataclass(frozen=True)
class Survey:
    """What a file holds, known before anything is written."""

    format: str  # as recognised
    holds: Holds

    @property
    def records(self) -> int:
        return self.holds.items


def import_items(
    *, project: Project, file: BinaryIO, format: str, actor: User | None = None, report: Report = silent
) -> dict[str, int | list[str]]:
    """Write the file's items, responses, judgements and spans; what is there already is passed by.

    Returns {"items", "responses", "judgements", "spans", "skipped"}: what is new, and how many records held no new
    item; and "warnings", sentences about what all of the file holds, such as responses that unblind their raters.
    Raises ValueError "line 17: …", and then nothing was written. `file` is binary and is read twice.
    """
    survey = survey_file(file=file, format=format, report=report)
    told = write_items(project=project, file=file, survey=survey, actor=actor, report=report)
    return told | {"warnings": warnings(survey.holds)}


def survey_file(*, file: BinaryIO, format: str, report: Report = silent) -> Survey:
    """Read and check all of the file, while no lock is held. Reports bytes. Raises ValueError "line 17: …"."""
    format = recognised(file, format)
    size, holds = file.seek(0, 2), Holds()
    first: dict[str, tuple[str, str]] = {}  # id -> where it stood first, and for which item
    for where, one in read(file, format):
        try:
            holds.add(one, where)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if one.id:
            place, key = first.setdefault(one.id, (where, item_key(one)))
            if place != where and key != item_key(one):
                raise ValueError(f"{where}: the id {one.id!r} stands for another item at {place}")
        report("reading the file (bytes)", file.tell(), size)
    if not holds.items:
        raise ValueError("the file holds no items")
    return Survey(format, holds)


@transaction.atomic
def write_items(
    *, project: Project, file: BinaryIO, survey: Survey, actor: User | None = None, report: Report = silent
) -> dict[str, int]:
    """Write a surveyed file. Categories, criteria and the like that the project lacks are added to its schema."""
    # One import at a time; no_key, so that people can judge and be leased tasks meanwhile.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if (schema := admit(project.schema, survey.holds)) != project.schema:
        change_schema(project=project, schema=schema, actor=actor)
    last = Judgement.objects.aggregate(last=Max("pk"))["last"] or 0
    counts, done = Counter(items=0, responses=0, judgements=0), 0
    for batch in batches(file, survey.format):
        counts += _write_batch(project, batch)
        done += len(batch)
        report("writing items", done, survey.records)
    new = project.judgements.filter(pk__gt=last, idempotency_key__startswith="import:")
    told = {name: counts[name] for name in ("items", "responses", "judgements")}
    told |= {"spans": Span.objects.filter(judgement__in=new).count(), "skipped": survey.records - counts["items"]}
    record(kind="items.imported", subject=project, project=project, actor=actor, format=survey.format, **told)
    _tell_planner()
    return told


def _tell_planner() -> None:
    """PostgreSQL counts its rows about once a minute; until then it would plan for the tables as they were before."""
    if connection.vendor == "postgresql":
        tables = (model._meta.db_table for model in (Item, Response, Task, Task.responses.through))
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(tables)}")


def batches(file: BinaryIO, format: str) -> Iterator[list[Placed]]:
    """The file's records with their places and keys, a few hundred at once."""
    file.seek(0)
    placed = ((where, item_key(one), one) for where, one in read(file, format))
    while batch := list(itertools.islice(placed, BATCH)):
        yield batch


def item_key(one: Record) -> str:
    """sha256 of turns, context and responses: an item is stored once, however often it comes."""
    turns = [{"role": turn.role, "content": turn.content} for turn in one.turns]
    context = [{"title": passage.title, "text": passage.text} for passage in one.context]
    return text_sha256(json.dumps([turns, context, [answer.text for answer in one.responses]]))


def _write_batch(project: Project, batch: list[Placed]) -> Counter:
    """Write what is new in the batch; returns how many items, responses and judgements that is."""
    wanted = {key: (where, one) for where, key, one in reversed(batch)}  # the first of equal items stays
    known = set(project.items.filter(key__in=wanted).values_list("key", flat=True))
    new = {key: both for key, both in reversed(wanted.items()) if key not in known}
    refuse_known_ids(project, new)
    items = insert_all([_item(project, key, one) for key, (_, one) in new.items()])
    responses = [response for item in items for response in _responses(item, new[item.key][1])]
    # Raters see the ids: their order must not tell the place in the file, which often tells the source.
    insert_all(sorted(responses, key=lambda response: response.sha256))
    make_tasks(project=project, items=items)
    rows, places = judgement_rows(project=project, batch=batch)
    try:
        judgements = store_judgements(project=project, rows=rows, source=Source.IMPORTED)
    except ValidationError as error:
        key, _, field = next(iter(error.message_dict)).partition(": ")
        raise ValueError(f"{places[key]}: {field}: {error.messages[0]}") from None
    return Counter(items=len(items), responses=len(responses), judgements=judgements)


def refuse_known_ids(project: Project, new: dict[str, tuple[str, Record]]) -> None:
    """An id that stands for another item in the project is a mistake in one of the two files."""
    places = {one.id: where for where, one in new.values() if one.id}
    taken = project.items.filter(external_id__in=places).values_list("external_id", flat=True).first()
    if taken:
        raise ValueError(f"{places[taken]}: the id {taken!r} stands for another item in the project")


def _item(project: Project, key: str, one: Record) -> Item:
    values = one.model_dump(include={"turns", "context", "metadata"})
    prompt = prompt_sha256(one.turns)
    return Item(project=project, key=key, external_id=one.id, prompt_sha256=prompt, split=split_of(prompt), **values)


def _responses(item: Item, one: Record) -> list[Response]:
    return [
        Response(item=item, index=index, sha256=text_sha256(answer.text), **answer.model_dump())
        for index, answer in enumerate(one.responses)
    ]
