"""Explained responses with what is marked in them, as arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet

from annotate.models import Project, Response, Span
from annotate.models.item import Split
from worker.models import Attribution

Mark = tuple[int, int, str, int]  # start, end, category, judgement (0: planted)
Marked = dict[int, list[Mark]]  # of the responses that were looked at; without marks: there was nothing to mark


@dataclass(frozen=True)
class Text:
    """A response, each of its tokens (or stretches) with what it adds to the score, and its marks."""

    response: int
    item: int
    prompt: str
    held_out: bool
    text: str
    starts: np.ndarray
    ends: np.ndarray
    values: np.ndarray
    marks: Sequence[Mark]

    @property
    def unread(self) -> int:
        """Marked characters that lie behind the last one that the model read."""
        read = int(self.ends.max()) if len(self.ends) else 0
        return sum(max(0, min(end, len(self.text)) - max(start, read)) for start, end, *_ in self.marks)


def people(project: Project) -> Marked:
    """What people marked, whoever did; machines are left out."""
    said = project.judgements.of_people()
    found: Marked = {response: [] for response in said.looked_at()}
    spans = Span.objects.filter(judgement__in=said.order_by()).order_by("response_id", "start", "end", "pk")
    for response, *mark in spans.values_list("response_id", "start", "end", "category", "judgement_id"):
        found[response].append(tuple(mark))
    return found


def planted(project: Project) -> Marked:
    """The flaws that came with the responses; a file may hold anything under that name."""
    rows = Response.objects.filter(item__project=project, metadata__has_key="flaws").order_by("pk")
    known = rows.values_list("pk", "metadata__flaws").iterator(5000)
    return {response: list(_flaws(flaws)) for response, flaws in known if isinstance(flaws, list)}


def _flaws(flaws: list) -> Iterator[Mark]:
    for flaw in flaws:
        match flaw:
            case {"start": int(start), "end": int(end), "category": str(key)} if 0 <= start < end:
                yield start, end, key, 0


def texts(rows: QuerySet[Attribution], marks: Marked) -> list[Text]:
    """Those of the explained responses that were looked at, in the order of their ids."""
    own = ("response__item_id", "response__item__prompt_sha256", "response__item__split", "response__text")
    found = rows.order_by("response_id").values_list("response_id", *own, "tokens", "units")
    return [
        Text(pk, item, prompt, split == Split.TEST, text, *_arrays(units or _own(tokens), len(text)), marks[pk])
        for pk, item, prompt, split, text, tokens, units in found.iterator(200)
        if pk in marks
    ]


def _own(tokens: Sequence[Mapping]) -> list[Mapping]:
    return [token for token in tokens if token["part"] == "response"]


def _arrays(parts: Sequence[Mapping], length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts, ends and values in order; tokens of one character (bytes of an emoji) are one, and none overlap."""
    starts = np.array([part["start"] for part in parts], dtype=np.int64)
    starts, which = np.unique(starts, return_inverse=True)
    ends = np.zeros(len(starts), dtype=np.int64)
    np.maximum.at(ends, which, np.array([part["end"] for part in parts], dtype=np.int64))
    values = np.bincount(which, [part["value"] for part in parts], len(starts))
    return starts, np.minimum(ends, [*starts[1:], length][: len(ends)]), values
