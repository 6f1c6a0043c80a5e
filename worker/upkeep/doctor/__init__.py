"""Holding the whole store against itself: what it says twice must be the same, and what can be derived is repaired."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from worker.upkeep.doctor import artifacts, database, jobs, judging, scores, tallies, texts, versions
from worker.upkeep.doctor.fault import Check, Fault
from worker.upkeep.frozen import frozen

# In this order: what is repaired first, the next ones are derived from.
CHECKS: tuple[Check, ...] = (
    *database.CHECKS,
    *judging.CHECKS,
    *texts.CHECKS,
    *tallies.CHECKS,
    *versions.CHECKS,
    *scores.CHECKS,
    *jobs.CHECKS,
    *artifacts.CHECKS,
)
MOST = 100_000  # faults of one check that are repaired in one run
TOLD = 50  # of each check in the report
BROKEN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)  # what code meets in rows that lie
Say = Callable[[Check, Fault], object]
Report = Callable[[str, int, int], object]


def examine(*, repair: bool, say: Say, report: Report, checks: Sequence[Check] = CHECKS) -> dict:
    """Run the checks; {"clean", "faults", "repaired", "left", "checks": {name: …}}.

    `say` hears each fault when it is found. Whoever writes meanwhile is not waited for: each check reads one moment.
    Behind migrations that are not applied nothing else is looked at.
    """
    told: dict[str, dict] = {}
    for n, check in enumerate(checks):
        report(check.name, n, len(checks))
        if found := _run(check, repair, say):
            told[check.name] = found
        if check.name in told and check in database.FIRST:
            break
    report("done", len(checks), len(checks))
    total = Counter()
    for one in told.values():
        total.update({name: one[name] for name in ("faults", "repaired", "left")})
    counts = {name: total[name] for name in ("faults", "repaired", "left")}
    return {"clean": not counts["left"], **counts, "checks": told}


def _run(check: Check, repair: bool, say: Say) -> dict | None:
    """None where all is well; `left` counts what stays wrong, looked at again after a repair."""
    found, examples, keys = 0, [], []
    with frozen():
        for fault in _found(check):
            found += 1
            say(check, fault)
            if len(examples) < TOLD:
                examples.append({"subject": fault.subject, "says": fault.says})
            if fault.key is not None and len(keys) < MOST:
                keys.append(fault.key)
    if not found:
        return None
    mended = check.repair(keys) if repair and check.repair and keys else 0
    left = _count(check) if mended else found
    about = {"means": check.means, "advice": check.advice, "repairable": bool(check.repair)}
    return about | {"faults": found, "repaired": mended, "left": left, "examples": examples}


def _count(check: Check) -> int:
    with frozen():
        return sum(1 for _ in islice(_found(check), MOST))


def _found(check: Check) -> Iterator[Fault]:
    """What one check needs may be broken by what another one tells of."""
    try:
        yield from check.find()
    except BROKEN as error:
        yield Fault("check", f"cannot be made before what is wrong above is put right ({error!r})")
