"""What the pages of length and surface read, in columns: every scored response, and every verdict on two of them."""

from dataclasses import dataclass, replace

import numpy as np
from django.db.models import Count, Max

from annotate.models import Project, Response, User
from annotate.models.item import Split
from inspector.stats.correlation import codes
from worker.models import Score, Version
from worker.models.version import PREFERENCE
from worker.services.snapshot import verdicts


@dataclass(frozen=True)
class Columns:
    """One row per scored response, in the order of its id."""

    response: np.ndarray
    item: np.ndarray
    which: np.ndarray  # its prompt, from 0
    tokens: np.ndarray
    values: np.ndarray  # scores
    held_out: np.ndarray
    index: np.ndarray  # its place in the item
    source: tuple[str, ...]

    def valued(self, values: np.ndarray) -> "Columns":
        """The same with other scores."""
        return replace(self, values=values)

    def picked(self, rows: np.ndarray) -> "Columns":
        """Those rows alone; `rows` is a mask."""
        names = ("response", "item", "which", "tokens", "values", "held_out", "index")
        own = {name: getattr(self, name)[rows] for name in names}
        source = tuple(name for name, here in zip(self.source, rows.tolist(), strict=True) if here)
        return Columns(**own | {"which": codes(own["which"])}, source=source)

    def place(self, responses: np.ndarray) -> np.ndarray:
        """(n,) rows of these response ids; −1 where one was not scored."""
        at = np.minimum(np.searchsorted(self.response, responses), len(self.response) - 1)
        return np.where(self.response[at] == responses, at, -1)


@dataclass(frozen=True)
class Verdicts:
    """One row per verdict on two scored responses; first and second are rows of Columns, in the order shown."""

    first: np.ndarray
    second: np.ndarray
    p: np.ndarray  # 1 first, 0 second, ½ neither
    weight: np.ndarray
    rater: np.ndarray  # a place in `names`
    names: tuple[str, ...]
    who: tuple[tuple[str, str], ...] = ()  # beside each name: the rater as RaterTally names them, and their source

    def picked(self, rows: np.ndarray) -> "Verdicts":
        kept = (column[rows] for column in (self.first, self.second, self.p, self.weight, self.rater))
        return Verdicts(*kept, self.names, self.who)


def scored_rows(version: Version) -> str:
    """Count and last id of the scores that these pages read: with new rows it is another."""
    found = Score.objects.filter(version=version, head=PREFERENCE).aggregate(n=Count("pk"), last=Max("pk"))
    return f"{version.pk}:{found['n']}:{found['last']}"


def judged_rows(project: Project) -> str:
    """The same of what people said."""
    found = project.judgements.of_people().aggregate(n=Count("pk"), last=Max("pk"))
    return f"{found['n']}:{found['last']}"


def read(version: Version) -> Columns | None:
    """None while the version has no scores."""
    rows = Score.objects.filter(version=version, head=PREFERENCE).order_by("response_id")
    item = ("response__item_id", "response__item__prompt_sha256", "response__item__split")
    found = list(rows.values_list("response_id", *item, "tokens", "value", "response__index", "response__source"))
    if not found:
        return None
    response, items, prompts, splits, tokens, values, index, source = zip(*found, strict=True)
    return Columns(
        np.array(response),
        np.array(items),
        codes(prompts),
        np.array(tokens),
        np.array(values, dtype=float),
        np.array([split == Split.TEST for split in splits]),
        np.array(index),
        source,
    )


def of_head(version: Version, head: str, columns: Columns) -> np.ndarray:
    """(n,) the version's scores under another head of the same responses; NaN where it has none."""
    rows = list(Score.objects.filter(version=version, head=head).order_by("pk").values_list("response_id", "value"))
    found = np.full(len(columns.response), np.nan)
    if rows:
        response, values = zip(*rows, strict=True)
        at = columns.place(np.array(response))
        found[at[at >= 0]] = np.array(values)[at >= 0]
    return found


def said(project: Project, columns: Columns) -> Verdicts:
    """Every verdict of people on two responses of different scores' rows; what machines said is left out."""
    fields = ("rater_id", "rater_name", "source", "weight", "shown_order", "outcome", "ranking")
    rows, raters = [], {}
    for *rater, weight, shown, outcome, ranking in (
        project.judgements.of_people().order_by("pk").values_list(*fields).iterator(5000)
    ):
        code = raters.setdefault(tuple(rater), len(raters))
        rows += [(first, second, p, weight, code) for first, second, p in verdicts(shown, outcome, ranking)]
    table = np.array(rows, dtype=float).reshape(-1, 5)
    found = Verdicts(
        columns.place(table[:, 0].astype(np.int64)),
        columns.place(table[:, 1].astype(np.int64)),
        *table[:, 2:4].T,
        table[:, 4].astype(int),
        _names(list(raters)),
        tuple((f"user:{pk}" if pk else f"name:{name}", source) for pk, name, source in raters),
    )
    return found.picked((found.first >= 0) & (found.second >= 0))


def _names(raters: list[tuple]) -> tuple[str, ...]:
    names = dict(User.objects.filter(pk__in=[pk for pk, *_ in raters if pk]).values_list("pk", "username"))
    return tuple(names.get(pk) or name or "a nameless rater" for pk, name, _ in raters)


def together(found: Verdicts) -> Verdicts:
    """One row per pair: the weighted mean of what was said of it, the response with the smaller id first."""
    swapped = found.first > found.second
    low, high = np.minimum(found.first, found.second), np.maximum(found.first, found.second)
    p = np.where(swapped, 1 - found.p, found.p)
    _, at, which = np.unique(np.stack([low, high]), axis=1, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    weight = np.bincount(which, found.weight)
    with np.errstate(invalid="ignore"):
        mean = np.where(weight > 0, np.bincount(which, p * found.weight) / weight, 0.5)
    return Verdicts(low[at], high[at], mean, weight, np.zeros(len(at), int), ())


def decided(found: Verdicts) -> Verdicts:
    """Without those that prefer neither."""
    return found.picked(found.p != 0.5)


def results(pairs: Verdicts, rows: int) -> np.ndarray:
    """(rows,) mean result of each response over decided pairs: won 1, lost −1; NaN for one that was in none."""
    sign = np.where(pairs.p > 0.5, 1.0, -1.0)
    total = np.bincount(pairs.first, sign, rows) - np.bincount(pairs.second, sign, rows)
    count = np.bincount(pairs.first, minlength=rows) + np.bincount(pairs.second, minlength=rows)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def quality(project: Project, columns: Columns) -> np.ndarray | None:
    """The gold that came with the responses (metadata.gold); None unless every scored one has a number there."""
    rows = Response.objects.filter(item__project=project, metadata__has_key="gold")
    if not rows.exists():
        return None
    found = np.full(len(columns.response), np.nan)
    known = [(pk, gold) for pk, gold in rows.order_by("pk").values_list("pk", "metadata__gold") if _number(gold)]
    if known:
        at = columns.place(np.array([pk for pk, _ in known]))
        found[at[at >= 0]] = np.array([gold for _, gold in known], dtype=float)[at >= 0]
    return None if np.isnan(found).any() else found


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
