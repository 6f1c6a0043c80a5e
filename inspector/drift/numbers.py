"""The drift page as plain values and Intervals: for its files, and for the report of a version."""

from inspector.drift import page, pools
from inspector.drift.figures import drift_figure
from inspector.drift.words import at, left_over
from inspector.stats.gao import Fit
from worker.models import Pool, Version

FIT = ("form", "alpha", "beta", "peak", "rmse")


def report(version: Version) -> dict | None:
    """Of the first pool that the version can be held against, as the page opens; None without one."""
    for pool in version.project.pools.order_by("name", "pk"):
        proxy = pools.first_proxy(pool, version, pools.proxies(pool, version))
        gold = next(iter(pools.golds(pool, version)), "")
        found = page.of_pool(pool, version, proxy, gold) if proxy and gold else None
        if found and found.drift:
            figure = drift_figure(found.drift, "d", found.unit)
            return {"pool": pool.name, "proxy": proxy, "gold": gold} | numbers(found) | {"figure": figure}
    return None


def numbers(found: page.Report) -> dict:
    """The curves, what they say, and both fits, of a report that has them."""
    drift = found.drift
    return {
        "sentence": found.sentence,
        "alarm": found.alarm,
        "kind": found.kind,
        "unit": found.unit,
        "prompts": drift.prompts,
        "candidates": drift.candidates,
        "gold_highest": at(drift, found.unit, drift.best),
        "gold_highest_at": drift.peak,
        "lost_from_there": drift.fall,
        "turned": drift.turned,
        "gold_by_noise_alone": drift.rate,
        "fits": [_fit(one) for one in drift.fits],
        "left_over": left_over(drift.fits) if drift.fits else "",
        "points": page.points(found),
    }


def _fit(one: Fit) -> dict:
    return {name: getattr(one, name) for name in FIT}


def parts(pool: Pool, version: Version, gold: str) -> dict:
    """What the page asks for after itself: other ways of scoring the pool, and how far the scores have moved."""
    rows = page.side_by_side(pool, version, gold)
    before, moved = page.moved(pool, version)
    drawn = [row for row in rows if row.drift]
    return {
        "others_sentence": page.beside(drawn) if len(drawn) > 1 else "",
        "others": [{"name": row.name, "why": row.why} | (_ends(row) if row.drift else {}) for row in rows],
        "moved_since": before.number if before else None,
        "moved": moved,
    }


def _ends(row: page.Row) -> dict:
    proxy, gold = row.ends
    return {"proxy": proxy, "gold": gold, "highest_at": row.best, "fall": row.drift.fall, "turned": row.drift.turned}
