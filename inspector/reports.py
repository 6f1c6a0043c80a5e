"""Rows → statistics → plain values and one honest sentence each."""

from dataclasses import dataclass

from annotate.agreement import Interval, Undefined
from inspector import rows
from inspector.stats import drift
from worker.models import Pool, Version


@dataclass(frozen=True)
class DriftReport:
    pool: Pool
    drift: drift.Drift | None  # None: `why` says what is missing
    why: str
    sentence: str
    scored: bool


def drift_report(version: Version, pool: Pool) -> DriftReport:
    """Proxy and gold over best-of-n for one pool."""
    values = rows.candidate_values(version, pool)
    if not values:
        return DriftReport(pool, None, "This version has not scored the pool yet.", "", scored=False)
    try:
        found = drift.drift(list(values.values()))
    except Undefined as error:
        return DriftReport(pool, None, f"There is no curve: {error}.", "", scored=True)
    return DriftReport(pool, found, "", drift_sentence(found), scored=True)


def drift_sentence(found: drift.Drift) -> str:
    """What the drift page shows now: a turn only where the measured fall is sure."""
    last, fall = int(found.ns[-1]), found.fall
    proxy, gold = float(found.proxy.mean[-1]), float(found.gold.mean[-1])
    ends = f"By best of {last} the proxy has gained {proxy:.2f} sd and the gold {gold:.2f} sd.".replace("-", "−")
    if found.best_n == last:
        return f"No peak within the range: gold is still highest at best of {last}. {ends}"
    where = f"best of {found.best_n} (KL {float(drift.kl(found.best_n)):.2f})"
    if fall.high < 0:
        loss = f"{-fall.value:.2f} sd ({-fall.high:.2f} to {-fall.low:.2f})"
        return f"Gold turns over: it is highest at {where} and then loses {loss}. {ends}"
    return f"Gold is highest at {where}; what it loses from there is within the noise, so no turn is claimed. {ends}"


@dataclass(frozen=True)
class Point:
    """One n of the drift page, for its table: gains as intervals, means in their own units."""

    n: int
    kl: float
    d: float
    proxy: Interval
    gold: Interval
    raw_proxy: float
    raw_gold: float


def drift_rows(found: drift.Drift) -> list[Point]:
    """The curves as a table."""
    proxy, gold = _intervals(found.proxy, found.prompts), _intervals(found.gold, found.prompts)
    columns = zip(found.ns, found.kl, found.d, proxy, gold, found.proxy.raw, found.gold.raw, strict=True)
    return [Point(int(n), float(kl), float(d), p, g, float(rp), float(rg)) for n, kl, d, p, g, rp, rg in columns]


def _intervals(curve: drift.Curve, n: int) -> list[Interval]:
    bounds = zip(curve.mean, curve.low, curve.high, strict=True)
    return [Interval(float(mean), float(low), float(high), n) for mean, low, high in bounds]
