"""How reliable each rater is, fitted over all raters of a project at once; it reads everything, so not in a page."""

from collections.abc import Iterator

import numpy as np
from django.db import transaction

from annotate.agreement import Interval, Undefined, crowd_bt, dawid_skene, undefined
from annotate.models import Judgement, Project, RaterTally
from annotate.models.judgement import Source
from annotate.services.tally import who
from annotate.tally import Said, compared

GROWTH = 1.02  # fitted again when there are 2 % more judgements, and while there are few
FEW = 2000
MODELS = ("dawid_skene", "bradley_terry")  # the first that has a value is taken


def due(project: Project) -> bool:
    """Are there enough new judgements since the last fit to be worth another?"""
    rows = RaterTally.objects.filter(project=project).exclude(source=Source.MACHINE).values_list("sums", "reliability")
    now, before = sum(sums.get("judged", 0) for sums, _ in rows), max((fit.get("of", 0) for _, fit in rows), default=0)
    return now != before if now < FEW else now > GROWTH * before


def fit(*, project: Project) -> int:
    """Store {"dawid_skene", "bradley_terry", "of"} with each person's tally; returns how many people there are."""
    rows = list(_said(project))
    raters = sorted({name for name, _ in rows})
    number = {name: n for n, name in enumerate(raters)}
    verdicts = [(number[name], *pair) for name, said in rows for pair in compared(said)]
    table = np.array(verdicts, dtype=np.int64).reshape(-1, 4)
    found = dict(zip(MODELS, (model(table, len(raters)) for model in (_dawid_skene, _bradley_terry)), strict=True))
    with transaction.atomic():
        for tally in RaterTally.objects.filter(project=project, who__in=raters).exclude(source=Source.MACHINE):
            fitted = {name: intervals[number[tally.who]].as_dict() for name, intervals in found.items()}
            tally.reliability = fitted | {"of": len(rows)}
            tally.save(update_fields=["reliability"])
    return len(raters)


def rater_weights(project: Project) -> dict[str, float]:
    """How much each person's judgements can be relied on, as `fit` found last: `services.tally.who(row)` → 0 … 1.

    The number is max(0, 2p − 1), p being how often the rater says what is true (Dawid–Skene) or, where that has no
    value, follows the scores of all verdicts (Bradley–Terry). A verdict of ±1 that is right with probability p is
    (2p − 1) times the truth on average (Natarajan et al., Learning with Noisy Labels, NeurIPS 2013, lemma 1 with equal
    error rates): 1 of somebody who never errs, 0 of somebody who decides by lot. Who errs more often than not weighs
    nothing, too. Machines, and raters whom nothing can be said of yet, are not in it: what they weigh is for the
    caller to say.
    """
    rows = RaterTally.objects.filter(project=project).exclude(source=Source.MACHINE).order_by("pk")
    fitted = {tally.who: [tally.reliability.get(name, {}).get("value") for name in MODELS] for tally in rows}
    right = {name: next((p for p in found if p is not None), None) for name, found in fitted.items()}
    return {name: max(0.0, 2 * p - 1) for name, p in right.items() if p is not None}


def _said(project: Project) -> Iterator[tuple[str, Said]]:
    """(rater, verdict) of every counted judgement of a person."""
    rows = Judgement.objects.counted().filter(project=project, tallied=True).exclude(source=Source.MACHINE)
    fields = ("rater_id", "rater_name", "shown_order", "outcome", "ranking")
    for row in rows.only(*fields).iterator(chunk_size=5000):
        yield who(row), Said(row.shown_order, row.outcome, row.ranking)


def _dawid_skene(table: np.ndarray, raters: int) -> tuple[Interval, ...]:
    """How often each says what is true, the truth being: the first, the second, or neither of a pair is better."""
    _, pair = np.unique(table[:, 1:3], axis=0, return_inverse=True)
    pairs = int(pair.max(initial=-1)) + 1
    try:
        return dawid_skene(pair.ravel(), table[:, 0], table[:, 3] + 1, (pairs, raters, 3)).reliability
    except Undefined as error:
        return (undefined(str(error)),) * raters


def _bradley_terry(table: np.ndarray, raters: int) -> tuple[Interval, ...]:
    """How often each follows the scores that all verdicts together give the responses."""
    decided = table[table[:, 3] != 0]
    won = np.where(decided[:, 3] > 0, decided[:, 1], decided[:, 2])
    lost = np.where(decided[:, 3] > 0, decided[:, 2], decided[:, 1])
    ids, place = np.unique(np.concatenate([won, lost]), return_inverse=True)
    try:
        return crowd_bt(place[: len(won)], place[len(won) :], decided[:, 0], (len(ids), raters)).reliability
    except Undefined as error:
        return (undefined(str(error)),) * raters
