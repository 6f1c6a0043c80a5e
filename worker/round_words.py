"""A round's decision in a sentence."""

from worker.compare import Paired, holds
from worker.models import Round
from worker.models.round import Rule
from worker.templatetags.numbers import decimals, points, share


def decision(one: Round, found: Paired, rule: Rule, tolerance: float) -> tuple[bool, str]:
    """Whether the version is promoted, and why, with the numbers."""
    better = holds(found, rule, tolerance)
    outcome = "Promoted" if better else "Not promoted"
    if found.difference.value is None:
        return better, f"{outcome}: no pair of the suite is left whose prompt is not trained on."
    return better, f"{_measured(one, found)} {_difference(found)} {outcome}: {_why(found, rule, tolerance, better)}."


def _measured(one: Round, found: Paired) -> str:
    said = f"Version {one.version.number} is right on {share(found.new.value)} of {found.new.n:,} pairs"
    against = f"version {one.against.number}" if one.against else "a coin (no version is in use)"
    return f"{said}, {against} on {share(found.old.value)}."


def _difference(found: Paired) -> str:
    low, high = (decimals(100 * bound, 1) for bound in (found.difference.low, found.difference.high))
    tested = f"{found.won:,} of {found.prompts:,} prompts won, {found.lost:,} lost, p = {found.p_value:.2g}"
    return f"The difference is {points(found.difference.value)} (95 % interval {low} to {high}; {tested})."


def _why(found: Paired, rule: Rule, tolerance: float, better: bool) -> str:
    if rule == Rule.NEVER:
        return "a person decides"
    if rule == Rule.NOT_WORSE:
        return f"{'the whole' if better else 'not the whole'} interval lies above −{share(tolerance)}"
    if better:
        return "the whole interval lies above 0, and p is at most .05"
    if found.difference.high < 0:
        return "the whole interval lies below 0"
    return "the interval holds 0" if found.difference.low <= 0 else "p is above .05"
