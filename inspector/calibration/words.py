"""What the page of calibration says, in words computed from the numbers."""

from collections.abc import Mapping

from annotate.agreement import Interval


def calibrated(found: Mapping) -> str:
    """Is it as often right as it says? Told against what a perfect model would show by chance."""
    sure, right, ece, floor = (found[name] for name in ("confidence", "right", "ece", "floor"))
    words = (
        f"On average the model is {percent(sure.value)} sure of its choice and right in {percent(right.value)}"
        f"{_range(right)}, over {found['verdicts']:,} verdicts on {found['prompts']:,} held-out prompts. "
        f"ECE is {ece.value:.3f}{_bounds(ece)}; a perfectly calibrated model would show {floor['mean']:.3f} here by "
        f"chance, and {floor['p95']:.3f} one time in twenty."
    )
    if ece.value <= floor["p95"]:
        return f"{words} No sign that it is sure too often or too seldom."
    if sure.value > right.value:
        return f"{words} It is too sure: trust its odds less than they say, or fit the temperature."
    return f"{words} It is not sure enough: it is right more often than it says."


def loss(found: Mapping) -> str:
    """NLL beside a coin's and beside what people's agreement leaves."""
    nll, agreed = found["nll"], found["agreed"]
    words = f"A verdict costs the model {nll.value:.3f} nats{_bounds(nll)}; a coin {found['coin']:.3f}."
    if agreed.value is None:
        return f"{words} What people leave at least cannot be said: {agreed.why}."
    return f"{words} Raters agree in {percent(found['agreement'].value)}, which leaves {agreed.value:.3f} at least."


def temperature(found: Mapping) -> str:
    """The stored temperature beside the one that fits."""
    stored, fitted = found["stored"], found["fitted"]
    words = f"The version’s temperature is {stored:.3g}"
    if fitted.value is None:
        return f"{words}; none can be fitted here: {fitted.why}."
    words = f"{words}; the one that fits these verdicts is {fitted.value:.3g}{_bounds(fitted, 3)}."
    if fitted.low is None:
        return words
    if stored < fitted.low:
        return f"{words} So the version is sure too often."
    if fitted.high is not None and stored > fitted.high:
        return f"{words} So the version is less sure than it could be."
    return f"{words} The stored one lies within the interval."


CALIBRATION = {"sentence": calibrated, "loss_words": loss, "temperature_words": temperature}


def selective(found: Mapping) -> str:
    """Is it right where it is sure?"""
    rows = {row["coverage"]: row["model"] for row in found["rows"]}
    sure, area = rows[0.2], found["area"]
    words = (
        f"Its most confident 20 % of verdicts are right in {percent(sure.value)}{_range(sure)}, all of them in "
        f"{percent(rows[1.0].value)}{_range(rows[1.0])}. The area under the risk is {area.value:.3f}{_bounds(area)}; "
        f"an order that knows nothing gives {found['chance']:.3f}, the best there is {found['best']:.3f}."
    )
    if area.high is not None and area.high < found["chance"]:
        return f"{words} Its confidence is worth something."
    return f"{words} It is not shown that its confidence is worth anything."


def members(found: Mapping) -> str:
    """Do members differ where the ensemble errs?"""
    least, most = found["parts"][0]["wrong"], found["parts"][-1]["wrong"]
    words = (
        f"Where its {found['count']} members differ most, the ensemble errs in {percent(most.value)}{_range(most)}; "
        f"where they differ least, in {percent(least.value)}{_range(least)}."
    )
    own, _, margin = (one["area"] for one in found["areas"])
    if own.value is None:
        return f"{words} How well that tells errors cannot be said: {own.why}."
    words = f"{words} Disagreement tells errors with an AUROC of {own.value:.2f}{_bounds(own, 2)}"
    return f"{words}; the size of the margin alone with {margin.value:.2f}{_bounds(margin, 2)}."


def rounding(found: Mapping) -> str:
    """What bfloat16 would do."""
    words = (
        f"With its backbone in bfloat16 a score moves by {found['sd'].value:.2g} (sd), {found['largest']:.2g} at most, "
        f"over {found['responses']:,} responses."
    )
    if found["flipped"].value is None:
        return f"{words} None of them share an item, so nothing is said of margins."
    words = f"{words} Another one wins in {percent(found['flipped'].value)} of {found['flipped'].n:,} pairs"
    if found["small"].value is None:
        return f"{words}."
    share = percent(found["small"].value)
    return f"{words}; {share} of all margins are below {found['floor']:.2g}, where rounding may decide."


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _range(one: Interval) -> str:
    return f" ({100 * one.low:.1f}–{100 * one.high:.1f})" if one.low is not None else ""


def _bounds(one: Interval, digits: int = 3) -> str:
    if one.low is None:
        return ""
    high = f"to {one.high:.{digits}f}" if one.high is not None else "or more"
    return f" ({one.low:.{digits}f} {high})"
