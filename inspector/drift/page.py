"""The drift page: columns of a pool, or rollouts → statistics → plain values and the words that say them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from annotate.agreement import Interval, Undefined
from inspector.drift import pools, words
from inspector.drift.words import alarm, headline, kind
from inspector.stats import drift, rollouts
from inspector.stats.rules import RULES
from inspector.stats.shift import Shift, shifts
from worker.models import PolicyRun, Pool, Version
from worker.models.version import PREFERENCE
from worker.services.columns import column, column_names
from worker.services.policy_run import values_of

MOST_OTHERS = 3


@dataclass(frozen=True)
class Report:
    unit: str  # "best of" or "step"
    drift: drift.Drift | None  # None: `why` says what is missing
    why: str = ""
    lengths: tuple[float | None, ...] = ()  # of a run, mean by step

    @property
    def sentence(self) -> str:
        return headline(self.drift, self.unit)

    @property
    def alarm(self) -> str:
        return alarm(self.drift, self.unit)

    @property
    def kind(self) -> str:
        return kind(self.drift)


@dataclass(frozen=True)
class Point:
    """One n or step, for the table: gains as intervals, means in their own units."""

    point: int | float
    kl: float
    d: float
    proxy: Interval
    gold: Interval
    behind: Interval
    raw_proxy: float
    raw_gold: float
    variance: Interval | None
    length: float | None


@dataclass(frozen=True)
class Row:
    """One way of scoring the same pool, beside the others."""

    name: str
    drift: drift.Drift | None
    why: str = ""

    @property
    def best(self) -> int:
        return int(self.drift.points[self.drift.best])

    @property
    def ends(self) -> tuple[Interval, Interval]:
        """Gains of proxy and gold at the last point."""
        return tuple(_intervals(one, self.drift.prompts)[-1] for one in (self.drift.proxy, self.drift.gold))


def of_pool(pool: Pool, version: Version | None, proxy: str, gold: str) -> Report:
    """Proxy and gold over best of n."""
    sides = pools.sides(pool, version, proxy, gold)
    return _report("best of", lambda: drift.drift(sides.sizes, sides.proxy, sides.gold, sides.variance))


def of_run(run: PolicyRun) -> Report:
    """Reward and gold over the steps of a policy's training."""
    found = values_of(run)
    rows = np.stack([found[name] for name in ("step", "kl", "reward", "gold")], axis=1)
    which = np.unique(found["step"], return_inverse=True)[1]
    known = np.isfinite(found["length"])
    counts = np.bincount(which[known], minlength=which.max() + 1)
    sums = np.bincount(which[known], found["length"][known], minlength=len(counts))
    lengths = tuple(float(total / n) if n else None for total, n in zip(sums, counts, strict=True))
    return _report("step", lambda: rollouts.training(rows, found["prompt"]), lengths)


def _report(unit: str, make: Callable[[], drift.Drift], lengths: tuple = ()) -> Report:
    try:
        return Report(unit, make(), lengths=lengths)
    except Undefined as error:
        return Report(unit, None, f"There is no curve: {error}.")


def points(report: Report) -> list[Point]:
    """The curves as a table."""
    found, n = report.drift, report.drift.prompts
    variance = _intervals(found.variance, n) if found.variance else [None] * len(found.points)
    lengths = report.lengths or [None] * len(found.points)
    curves = (_intervals(one, n) for one in (found.proxy, found.gold, found.behind))
    own = (found.points, found.kl, found.d), (found.proxy.raw, found.gold.raw)
    columns = zip(*own[0], *curves, *own[1], variance, lengths, strict=True)
    return [Point(_number(point), float(kl), float(d), *rest) for point, kl, d, *rest in columns]


def _number(point: float) -> int | float:
    return int(point) if float(point).is_integer() else float(point)


def _intervals(curve: drift.Curve, n: int) -> list[Interval]:
    bounds = zip(curve.mean, curve.low, curve.high, strict=True)
    return [Interval(float(mean), float(low), float(high), n) for mean, low, high in bounds]


def side_by_side(pool: Pool, version: Version, gold: str) -> list[Row]:
    """The version as it is, each rule over its members, and the newest other versions, on one pool and one gold."""
    known = pools.proxies(pool, version)
    keys = [key for key in (f"head:{PREFERENCE}", *(f"rule:{rule}" for rule in RULES)) if key in known]
    rows = [_row(known[key], pool, version, key, gold) for key in keys]
    rivals = [one for one in pools.others(pool, version, MOST_OTHERS) if gold != f"version:{one.number}"]
    return rows + [_row(f"version {one.number}: preference", pool, one, f"head:{PREFERENCE}", gold) for one in rivals]


def beside(rows: list[Row]) -> str:
    """Which of those that have a curve gains most gold, and which have turned."""
    return words.beside([(row.name, row.ends[1], row.drift.turned) for row in rows])


def _row(name: str, pool: Pool, version: Version, proxy: str, gold: str) -> Row:
    report = of_pool(pool, version, proxy, gold)
    return Row(name, report.drift, report.why)


def moved(pool: Pool, version: Version) -> tuple[Version | None, list[Shift]]:
    """The version before that scored the pool, and how far each head's scores have moved since."""
    before = pools.earlier(pool, version)
    if before is None:
        return None, []
    known, sizes = set(column_names(pool, version)), np.array(pool.sizes, dtype=int)
    heads = [head for head in column_names(pool, before) if head in known]
    kept = {head: pools.whole(sizes, column(pool, head, before), column(pool, head, version)) for head in heads}
    return before, shifts({head: (one.proxy, one.gold, one.sizes) for head, one in kept.items() if len(one.proxy)})
