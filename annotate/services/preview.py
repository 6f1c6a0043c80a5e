"""What an import would do, without writing anything or holding a lock."""

from dataclasses import dataclass, field
from typing import BinaryIO

from django.core.exceptions import ValidationError

from annotate.formats.holds import added, admit, warnings
from annotate.models import Project
from annotate.schema import Schema
from annotate.services.imported import check_verdicts, named, said_here
from annotate.services.item import Placed, Report, batches, refuse_known_ids, silent, survey_file


@dataclass
class _New:
    """What the project does not have yet."""

    items: int = 0
    judgements: int = 0
    seen: set[str] = field(default_factory=set)  # keys of items


def preview_items(*, project: Project, file: BinaryIO, format: str, report: Report = silent) -> dict:
    """The report on a file: what it holds, what of it is new, what the schema would gain, and warnings.

    Raises the ValueError "line 17: …" that the import would raise.
    """
    survey = survey_file(file=file, format=format, report=report)
    schema, new, done = admit(project.schema, survey.holds), _New(), 0
    for batch in batches(file, survey.format):
        _check_batch(project, schema, batch, new)
        done += len(batch)
        report("checking items", done, survey.records)
    holds = survey.holds
    return {
        "format": survey.format,
        "items": holds.items,
        "responses": holds.responses,
        "judgements": holds.judgements,
        "sources": dict(holds.sources),
        "spans": dict(sorted(holds.spans.items())),
        "criteria": sorted(holds.criteria),
        "new": {"items": new.items, "judgements": new.judgements},
        "skipped": holds.items - new.items,
        "added": added(project.schema, schema),
        "warnings": warnings(holds),
    }


def _check_batch(project: Project, schema: Schema, batch: list[Placed], new: _New) -> None:
    known = set(project.items.filter(key__in=[key for _, key, _ in batch]).values_list("key", flat=True))
    fresh = {key: (where, one) for where, key, one in batch if key not in known | new.seen}
    refuse_known_ids(project, fresh)
    new.items += len(fresh)
    new.seen |= set(fresh)
    names = {name for _, key, one in batch for name, _ in named(key, one)}
    names -= said_here(project, {key for _, key, _ in batch})
    new.judgements += len(names) - project.judgements.filter(idempotency_key__in=names).count()
    for where, _, one in batch:
        try:
            check_verdicts(one, schema)
        except ValidationError as error:
            name, messages = next(iter(error.message_dict.items()))
            raise ValueError(f"{where}: {name}: {messages[0]}") from None
