"""Freezing judgements: which are used, which are not and why, and a hash over all that was used."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from django.db import transaction
from django.db.models import QuerySet

from annotate.models import Judgement, Project, Response, Span, User
from annotate.models.item import Split
from annotate.models.judgement import Outcome, Source
from annotate.models.task import AssignmentKind
from annotate.services.event import record
from worker.models import Snapshot, SnapshotRow
from worker.services.reading import chunks

TIED = (Outcome.TIE, Outcome.BOTH_BAD)
LEAST_TRAIN = 8
# All of a judgement that is looked at.
READ = (
    *("pk", "item__split", "superseded", "withdrawn_at", "source", "kind", "outcome", "shown_order", "ranking"),
    *("strength", "weight", "probability", "ratings", "steps", "checked", "omissions", "texts_sha256"),
    *("rater_id", "rater_name"),
)
MARKED = ("response_id", "start", "end", "category", "severity")
Marks = Sequence[list]  # the spans of a judgement, each MARKED


@dataclass(frozen=True)
class Survey:
    """What a snapshot of the project would hold now."""

    rows: list[tuple[int, str]]  # judgement id, split
    shown: set[int]  # ids of the responses that these show
    counts: dict
    sha256: str


def verdicts(shown: Sequence[int], outcome: str, ranking: Sequence[Sequence[int]]) -> list[tuple[int, int, float]]:
    """(first, second, p) for each pair of the judged responses, in the order shown; p as in rm.types.Comparison.

    A ranking of k responses gives k(k−1)/2 pairs; "both bad" says that neither is preferred, which is a tie; what
    could not be judged gives none.
    """
    place = {response: rank for rank, group in enumerate(groups(shown, outcome, ranking)) for response in group}
    judged = [response for response in shown if response in place]
    return [
        (first, second, 0.5 if place[first] == place[second] else float(place[first] < place[second]))
        for first, second in combinations(judged, 2)
    ]


def groups(shown: Sequence[int], outcome: str, ranking: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
    """The tied groups of the judged responses, best first; none of what could not be judged."""
    return [shown] if outcome in TIED else ranking if outcome == Outcome.RANKING else []


def groups_of(judgement: Judgement) -> Sequence[Sequence[int]]:
    """The same of a row, by response ids."""
    return groups(judgement.shown_order, judgement.outcome, judgement.ranking)


def verdicts_of(judgement: Judgement) -> list[tuple[int, int, float]]:
    """The pairs of a row, by response ids."""
    return verdicts(judgement.shown_order, judgement.outcome, judgement.ranking)


def survey(project: Project) -> Survey:
    """Sort the project's judgements into used and dropped; counts["used"] + Σ dropped is all of them.

    counts: judgements, used, tied and both_bad (used judgements that prefer nothing), conflicting (pairs judged
    both ways), comparisons {train, test}, decided {train, test} (without ties), identical_pairs (pairs of equal
    texts inside longer rankings, left out), spans, rated, dropped {reason: judgements}.
    """
    texts = dict(Response.objects.filter(item__project=project).values_list("pk", "sha256"))
    counts, dropped, digest = Counter(), Counter(), hashlib.sha256()
    sides: dict[tuple[int, int], set[float]] = {}
    rows, shown = [], set()
    for judgement, marks in _judgements(project, project.judgements):
        counts["judgements"] += 1
        if reason := why_dropped(judgement, marks, texts):
            dropped[reason] += 1
            continue
        rows.append((judgement.pk, judgement.item__split))
        shown.update(judgement.shown_order)
        digest.update(_content(judgement, marks))
        _count(judgement, marks, texts, counts, sides)
    counts["conflicting"] = sum({0.0, 1.0} <= seen for seen in sides.values())
    return Survey(rows, shown, _shape(counts, dropped), digest.hexdigest())


def digest_of(snapshot: Snapshot) -> str:
    """What its sha256 would be, were it frozen from its judgements as they are stored now."""
    digest = hashlib.sha256()
    used = Judgement.objects.filter(snapshot_rows__snapshot=snapshot)
    for judgement, marks in _judgements(snapshot.project, used):
        digest.update(_content(judgement, marks))
    return digest.hexdigest()


def _judgements(project: Project, rows: QuerySet) -> Iterator[tuple[Judgement, Marks]]:
    """Each judgement's READ, under these names, with its spans."""
    spans = Span.objects.filter(judgement__project=project)
    for chunk in chunks(rows.order_by("pk"), READ):
        found: dict[int, list] = defaultdict(list)
        own = spans.filter(judgement_id__gte=chunk[0].pk, judgement_id__lte=chunk[-1].pk)
        for judgement, *mark in own.values_list("judgement_id", *MARKED):
            found[judgement].append(mark)
        yield from ((row, found[row.pk]) for row in chunk)


def why_dropped(judgement: Judgement, marks: Marks, texts: dict[int, str]) -> str | None:
    """The reason why a judgement teaches nothing, or None. `texts`: response id → sha256."""
    if judgement.superseded:
        return "superseded"
    if judgement.withdrawn_at:
        return "withdrawn"
    if judgement.source == Source.MACHINE:
        return "machine"
    if judgement.kind not in (AssignmentKind.NORMAL, AssignmentKind.ADJUDICATION):
        return judgement.kind
    if judgement.outcome == Outcome.CANNOT_JUDGE:
        return "cannot_judge"
    alone = (judgement.ratings, judgement.steps, judgement.checked, judgement.omissions, marks)
    if not (verdicts_of(judgement) or any(alone)):
        return "nothing_said"
    if len(judgement.shown_order) > 1 and len({texts[r] for r in judgement.shown_order}) == 1:
        return "identical_texts"
    return None


def _content(judgement: Judgement, marks: Marks) -> bytes:
    """All of a judgement that training may read."""
    said = [judgement.outcome, judgement.shown_order, judgement.ranking, judgement.strength, judgement.weight]
    content = [
        judgement.pk,
        judgement.item__split,
        *said,
        judgement.ratings,
        judgement.steps,
        judgement.probability,
        judgement.rater_id or judgement.rater_name,
        judgement.checked,
        judgement.omissions,
        sorted(marks, key=str),
        judgement.texts_sha256,
    ]
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode()


def _count(judgement: Judgement, marks: Marks, texts: dict[int, str], counts: Counter, sides: dict) -> None:
    split = judgement.item__split
    counts["used"] += 1
    counts["both_bad"] += judgement.outcome == Outcome.BOTH_BAD
    counts["tied"] += judgement.outcome in TIED
    counts["spans"] += len(marks)
    counts["rated"] += bool(judgement.ratings)
    for first, second, p in verdicts_of(judgement):
        if texts[first] == texts[second]:
            counts["identical_pairs"] += 1
            continue
        counts["comparisons", split] += 1
        counts["decided", split] += p != 0.5
        ordered = (min(first, second), max(first, second))
        sides.setdefault(ordered, set()).add(p if first < second else 1 - p)


def _shape(counts: Counter, dropped: Counter) -> dict:
    names = ("judgements", "used", "tied", "both_bad", "conflicting", "identical_pairs", "spans", "rated")
    by_split = {name: {split.value: counts[name, split] for split in Split} for name in ("comparisons", "decided")}
    return {name: counts[name] for name in names} | by_split | {"dropped": dict(sorted(dropped.items()))}


def missing(counts: dict) -> list[str]:
    """What a reward model would still need, in sentences; empty when there is enough."""
    train, test = counts["decided"]["train"], counts["decided"]["test"]
    problems = []
    if train < LEAST_TRAIN:
        problems.append(
            f"At least {LEAST_TRAIN} decided comparisons on training prompts are needed; there are {train}. "
            "Judge more pairs or import judgements."
        )
    if not test:
        problems.append(
            "No held-out prompt has a decided comparison, so nothing could be measured. About one prompt in "
            "five is held out: judge or import more prompts."
        )
    return problems


@transaction.atomic
def freeze(*, project: Project, actor: User | None = None, surveyed: Survey | None = None) -> Snapshot:
    """The snapshot of the project's judgements as they are now; the same judgements give the same snapshot."""
    found = surveyed or survey(project)
    snapshot, new = Snapshot.objects.get_or_create(
        project=project, sha256=found.sha256, defaults={"counts": found.counts, "created_by": actor}
    )
    if new:
        SnapshotRow.objects.bulk_create(
            (SnapshotRow(snapshot_id=snapshot.pk, judgement_id=pk, split=split) for pk, split in found.rows),
            batch_size=2000,
        )
        record(kind="snapshot.frozen", subject=snapshot, project=project, actor=actor, used=found.counts["used"])
    return snapshot
