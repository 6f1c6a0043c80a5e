"""What the drift page says, in words computed from the numbers."""

from collections.abc import Sequence

from annotate.agreement import Interval
from inspector.drift.figures import NAMES
from inspector.stats.drift import FEWEST, KEPT, Drift
from inspector.stats.gao import Fit
from inspector.stats.shift import Shift

SURE = 0.05  # a corrected p below it is more than chance


def headline(found: Drift, unit: str) -> str:
    """Whether the gold turned, where, with its interval; a turn only where the measured fall is sure."""
    best, last = at(found, unit, found.best), at(found, unit, -1)
    proxy, gold = (signed(float(curve.mean[-1])) for curve in (found.proxy, found.gold))
    ends = f"By {last} the proxy has gained {proxy} sd and the gold {gold} sd, over {found.prompts} prompts."
    top = f"{best} (KL {found.kl[found.best]:.2f}; 95 %: {_peak(found, unit)}), at {found.gold.raw[found.best]:.3f}"
    if found.best == len(found.points) - 1:
        return f"No peak within the range: gold is still highest at {best}. {ends}"
    if found.prompts < FEWEST:
        return f"Gold is highest at {best}; {_counted(found)} too few to tell a turn from noise. {ends}"
    if not found.turned:
        return f"Gold is highest at {best}; what it loses from there is within the noise, so no turn is claimed. {ends}"
    loss = f"{-found.fall.value:.2f} sd ({_span(found.fall)})"
    if found.best == 0:
        return f"Gold falls from the start: by {last} it has lost {loss}. {ends}"
    return f"Gold turns over: it is highest at {top}, and then loses {loss}. {ends}"


def _counted(found: Drift) -> str:
    return "1 prompt is" if found.prompts == 1 else f"{found.prompts} prompts are"


def _peak(found: Drift, unit: str) -> str:
    low, high = found.peak.low, found.peak.high
    if high is None:
        return f"{unit} {low:g} or beyond the range"
    return f"{unit} {low:g} to {high:g}" if low != high else f"{unit} {low:g}"


def _span(fall: Interval) -> str:
    """Of a loss, from the lesser to the greater."""
    return f"{-fall.high:.2f} to {-fall.low:.2f}".replace("-", "−")


def alarm(found: Drift, unit: str) -> str:
    """The rule, and whether and where it is met."""
    rule = f"surely below {100 * KEPT:.0f} % of what noise in the proxy alone would leave of it"
    if found.alarm is None:
        return f"No alarm: nowhere is the gold {rule} and stays so to the end."
    where, turn = at(found, unit, found.alarm), at(found, unit, found.best)
    words = f"Alarm from {where} on (KL {found.kl[found.alarm]:.2f}): from there to the end the gold is {rule}"
    if not found.turned:
        return f"{words}. It has not surely turned by {at(found, unit, -1)}."
    if found.alarm < found.best:
        return f"{words}. That is before it turns at {turn}."
    return f"{words}. It turns at {turn} already: {_counted(found)} too few to be sure of it sooner."


KINDS = {
    "regressional": "What is lost is what noise in the proxy explains (regressional): the gold rises more slowly than "
    "the proxy, in proportion, and a stronger search does no harm.",
    "bending": "More is lost than noise in the proxy explains: the gold bends away from the line that noise alone "
    "would draw. It has not surely turned; further search may turn it.",
    "extremal": "The best by the proxy are another kind of answer (extremal): the gold leaves the line that noise "
    "alone would draw, and falls. Search no further than the peak.",
    "reversed": "Within a prompt the proxy goes against the gold from the start: choosing by it does harm at once.",
}


def kind(found: Drift) -> str:
    """Regressional, extremal, between them, or against the gold; with the slope of the line."""
    if found.rate.value is None:
        return ""
    if found.kind == "regressional" and found.rate.low <= 0:
        return (
            "Within a prompt it is not sure that the proxy says anything of the gold: searching by it may gain nothing."
        )
    rate = f"{signed(found.rate.value)} ({signed(found.rate.low)} to {signed(found.rate.high)})"
    return f"{KINDS[found.kind]} By noise alone 1 sd of proxy is worth {rate} sd of gold."


def shifted(found: Sequence[Shift]) -> str:
    """How far the scores of two versions lie apart, and what of it is more than chance."""
    sure = [one for one in found if one.corrected < SURE]
    if not sure:
        return f"No head's scores have surely changed their shape, of {len(found)} compared."
    most = max(sure, key=lambda one: one.wasserstein)
    return (
        f"{len(sure)} of {len(found)} heads give scores of another shape than before, most of all {most.head}: "
        f"Wasserstein {most.wasserstein:.2f} sd, KS {most.ks:.2f}, p {most.corrected:.3f}."
    )


def left_over(fits: Sequence[Fit]) -> str:
    """How far each form stays from the measured gold."""
    apart = " and ".join(f"{NAMES[one.form]} by {one.rmse:.4f} sd" for one in fits)
    nearest = min(fits, key=lambda one: one.rmse)
    return f"The forms miss the measured gold, as a root mean square: {apart}. {NAMES[nearest.form]} lies nearer."


def beside(rows: Sequence[tuple[str, Interval, bool]]) -> str:
    """Which way of scoring gains most gold at the largest n, and which have turned; of (name, gain, turned)."""
    name, most, _ = max(rows, key=lambda row: row[1].value)
    words = f"At the largest n gold gains most by {name}: {signed(most.value)} sd"
    words += f" ({signed(most.low)} to {signed(most.high)})" if most.low is not None else ""
    turned = [name for name, _, over in rows if over]
    return (
        f"{words}. Turned: {', '.join(turned)}." if turned else f"{words}. None of the {len(rows)} has surely turned."
    )


def at(found: Drift, unit: str, place: int) -> str:
    """best of 16, step 200"""
    return f"{unit} {found.points[place]:g}"


def signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
