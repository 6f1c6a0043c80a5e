"""Who judged, and do they agree? Kept counts → intervals and one honest sentence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Count, Q

from annotate.agreement import Interval, Tasks, cohen, raters, undefined
from annotate.agreement.intervals import Undefined
from annotate.models import Agreement, Judgement, Project, RaterTally, Side, User
from annotate.models.judgement import Source
from annotate.models.task import AssignmentKind
from annotate.schema import Schema
from annotate.services.agreement import level_of
from annotate.services.tally import said_by
from annotate.tally import compared, times
from inspector.figures import intervals_figure

LEVELS = {"nominal": "any two differ alike", "ordinal": "by rank", "interval": "by difference"}
NOT_YET = undefined("not worked out yet")
DRAWN = 20  # raters of the chart
NAMED = 4  # of more raters the sentence counts the others


@dataclass(frozen=True)
class Question:
    """One row of the agreement table: a question among people, among machines, and across."""

    key: str
    label: str
    level: str
    people: Mapping[str, Interval]
    machines: Mapping[str, Interval]
    across: Mapping[str, Interval]

    @property
    def disputed(self) -> bool:
        """Do two people anywhere answer it differently? Of marks, α alone says whether they are everywhere the same."""
        same = self.people.get("percent", self.people.get("alpha", NOT_YET))
        return same.value is not None and same.value < 1


def questions(project: Project) -> list[Question]:
    """Every question that was answered, in the order of the schema."""
    schema, found = project.schema, {}
    for row in Agreement.objects.filter(project=project):
        figures = {name: Interval(**({"why": ""} | interval)) for name, interval in row.figures.items()}
        found.setdefault(row.question, {})[row.side] = figures or {"alpha": NOT_YET, "percent": NOT_YET}
    labels = named(schema)
    order = {key: n for n, key in enumerate(labels)}
    return [
        Question(key, labels.get(key, key), _level(key, schema), *(sides.get(side, {}) for side in Side.values))
        for key, sides in sorted(found.items(), key=lambda one: order.get(one[0], len(order)))
    ]


def _level(key: str, schema: Schema) -> str:
    return "by length" if key.startswith("spans:") else LEVELS[level_of(key, schema)]


def named(schema: Schema) -> dict[str, str]:
    """Question → its words, in the order of the page."""
    return (
        {"preference": "Which is better", "strength": "How much better"}
        | {f"criterion:{one.key}": one.label for one in schema.criteria}
        | ({"rubric": "Rubric, weighted mean"} if len(schema.criteria) > 1 else {})
        | {f"category:{one.key}": f"{one.label}: there or not" for one in schema.categories}
        | {f"spans:{one.key}": f"{one.label}: where" for one in schema.categories}
        | {f"safety:{one.key}": one.label for one in schema.safety}
        | {"steps": "Steps"}
    )


def agreement_sentence(rows: Iterable[Question]) -> str:
    """What the preference row shows now."""
    found = next((row.people for row in rows if row.key == "preference"), {})
    percent, alpha = found.get("percent", NOT_YET), found.get("alpha", NOT_YET)
    if percent.value is None:
        return f"How far people agree on the better response cannot be said: {percent.why}."
    words = f"Two people who judge the same pair say the same in {100 * percent.value:.0f} % of {percent.n:,} pairs"
    if alpha.value is None:
        return f"{words}; beyond chance that cannot be judged, since {alpha.why}."
    return f"{words}; beyond chance that is α = {alpha.value:.2f}.".replace("-", "−")


def agreement_figure(rows: Sequence[Question]) -> dict:
    """α of each question among people, and among machines where any judged."""
    sides = {"people": [row.people.get("alpha", NOT_YET) for row in rows]}
    if any(row.machines for row in rows):
        sides["machines"] = [row.machines.get("alpha", NOT_YET) for row in rows]
    return intervals_figure([row.label for row in rows], sides, "Krippendorff’s α")


# ---- Raters


@dataclass(frozen=True)
class Rater:
    """One row of the raters' table, each measure with its interval."""

    who: str
    name: str
    source: str
    judged: int
    seconds: Interval
    fast: Interval
    left: Interval
    longer: Interval
    same: Interval
    gold: Interval
    truth: Interval  # Dawid–Skene
    follows: Interval  # Bradley–Terry

    @property
    def shares(self) -> tuple[Interval, ...]:
        """The columns of the table that are shares, from left to right."""
        return self.fast, self.left, self.longer, self.same, self.gold, self.truth, self.follows

    @property
    def sided(self) -> bool:
        """Does the interval of the side leave out a fair half?"""
        return self.left.low is not None and not self.left.low <= raters.FAIR <= self.left.high

    @property
    def hasty(self) -> bool:
        """Are surely more than one in twenty judgements quicker than reading?"""
        return self.fast.low is not None and self.fast.low > 0.05


def raters_of(project: Project) -> list[Rater]:
    """Everybody who judged, people first, the busiest first."""
    tallies = list(RaterTally.objects.filter(project=project))
    names = _names(tallies)
    known = {name: _shares(project, kind) for name, kind in (("gold", "gold"), ("same", AssignmentKind.REPEAT))}
    rows = [_rater(tally, names.get(tally.who, ""), known) for tally in tallies if tally.sums.get("judged")]
    return sorted(rows, key=lambda row: (row.source == Source.MACHINE, -row.judged, row.name))


def raters_figure(rows: Sequence[Rater]) -> dict:
    """Left wins and longer wins of those who judged most."""
    shown = rows[:DRAWN]
    sides = {"left wins": [row.left for row in shown], "longer wins": [row.longer for row in shown]}
    return intervals_figure([row.name for row in shown], sides, "Share of decided pairs")


def raters_sentence(rows: Sequence[Rater]) -> str:
    """Who surely favours a side, and who is surely too fast."""
    count = f"{len(rows)} rater{'s' if len(rows) > 1 else ''}"
    words = f"{count} gave {sum(row.judged for row in rows):,} judgements."
    sided = [f"{row.name} (left wins {100 * row.left.value:.0f} %)" for row in rows if row.sided]
    words += f" Surely favouring a side: {_listed(sided)}." if sided else " Nobody surely favours a side."
    hasty = [row.name for row in rows if row.hasty]
    return f"{words} Surely too fast more than one time in twenty: {_listed(hasty)}." if hasty else words


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _names(tallies: Iterable[RaterTally]) -> dict[str, str]:
    ids = [int(row.who.removeprefix("user:")) for row in tallies if row.who.startswith("user:")]
    accounts = {f"user:{pk}": name for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "username")}
    return {row.who: row.who.removeprefix("name:") or "a nameless rater" for row in tallies} | accounts


def _shares(project: Project, kind: str) -> dict[str, tuple[int, int]]:
    """Rater → (right, answered) of the judgements of a kind whose answer is known."""
    kinds = (AssignmentKind.GOLD, AssignmentKind.QUALIFICATION) if kind == "gold" else (kind,)
    rows = Judgement.objects.current().filter(project=project, kind__in=kinds, right__isnull=False)
    counted = rows.order_by().values("rater_id").annotate(n=Count("pk"), good=Count("pk", filter=Q(right=True)))
    return {f"user:{row['rater_id']}": (row["good"], row["n"]) for row in counted}


def _rater(tally: RaterTally, name: str, known: Mapping[str, Mapping[str, tuple[int, int]]]) -> Rater:
    count = lambda key: tally.sums.get(key, 0)  # noqa: E731
    fitted = {key: Interval(**({"why": ""} | one)) for key, one in tally.reliability.items() if key != "of"}
    return Rater(
        who=tally.who,
        name=name,
        source=tally.source,
        judged=count("judged"),
        seconds=_seconds(tally.sums),
        fast=raters.too_fast(count("fast"), count("timed")),
        left=raters.position_bias(count("left"), count("decided")),
        longer=raters.length_bias(count("longer"), count("unequal")),
        same=raters.self_consistency(*known["same"].get(tally.who, (0, 0))),
        gold=raters.gold_accuracy(*known["gold"].get(tally.who, (0, 0))),
        truth=fitted.get("dawid_skene", NOT_YET),
        follows=fitted.get("bradley_terry", NOT_YET),
    )


def _seconds(sums: Mapping[str, int]) -> Interval:
    found = times(sums)
    return raters.active_time([ms / 1000 for ms, _ in found], [n for _, n in found])


# ---- Two raters


def cohen_of(project: Project, first: str, second: str) -> Interval:
    """Cohen's κ of two raters on the pairs that both compared."""
    one, other = (_verdicts(project, rater) for rater in (first, second))
    cells, held = np.zeros((3, 3), dtype=int), defaultdict(Counter)
    for pair in sorted(one.keys() & other.keys()):
        (task, said), (_, says) = one[pair], other[pair]
        cells[said + 1, says + 1] += 1
        held[task][said + 1, says + 1] += 1  # all pairs of a ranking stand or fall together
    try:
        return cohen(cells, tasks=Tasks(list(held.values())))
    except Undefined as error:
        return undefined(str(error))


def _verdicts(project: Project, rater: str) -> dict[tuple[int, int], tuple[int, int]]:
    """Pair of responses → (task, 1 the first is better | 0 neither | −1)."""
    kind, _, name = rater.partition(":")
    mine = {"rater_id": int(name)} if kind == "user" and name.isdecimal() else {"rater": None, "rater_name": name}
    rows = Judgement.objects.counted().filter(project=project, **mine)
    return {(a, b): (row.task_id, sign) for row in rows for a, b, sign in compared(said_by(row))}
