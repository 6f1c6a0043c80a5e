"""What the page of what changed says, in words computed from the numbers."""

from collections.abc import Mapping, Sequence

from annotate.agreement import Interval

SURE = 0.05
NAMED = 3


def headline(found: Mapping) -> str:
    """How many choices are the same, and whether the new version is better."""
    same, of = found["same"], found["paired"]
    if same.value is None:
        words = "There is no pair to hold the two against each other on."
    else:
        words = f"Both choose the same response in {percent(same.value)}{_range(same)} of {same.n:,} pairs."
    if of["difference"].value is None:
        return f"{words} Nobody has decided a held-out pair, so which of them is better is not known."
    change, p = of["difference"], of["p_value"]
    words += (
        f" On {change.n:,} held-out pairs this version is right in {percent(of['new'].value)}, the other in "
        f"{percent(of['old'].value)}: {points(change.value)}{_points_range(change)}, p = {p:.3f} by prompt."
    )
    if change.low is not None and p <= SURE and not change.low <= 0 <= change.high:
        return f"{words} It is {'better' if change.value > 0 else 'worse'}."
    return f"{words} No sure difference."


def flips(found: Mapping) -> str:
    """Of the pairs that turned, how many turned towards people."""
    counts = found["flips"]["counts"]
    if not counts["all"]:
        return "No pair has turned."
    judged = counts["better"] + counts["worse"]
    words = f"{counts['all']:,} pairs have turned."
    if not judged:
        return f"{words} People have decided none of them."
    return (
        f"{words} People have decided {judged:,} of them: {counts['better']:,} are now as people say, "
        f"{counts['worse']:,} no longer."
    )


def order(found: Mapping) -> str:
    """Whether responses stand in the same order."""
    pooled, within = found["order"]["spearman"], found["order"]["within"]
    if pooled.value is None:
        return f"Their orders cannot be compared: {pooled.why}."
    words = f"Their scores correlate at {signed(pooled.value)} over all responses (Spearman)"
    if within.value is None:
        return f"{words}; within prompts there is nothing to say: {within.why}."
    words = f"{words} and at {signed(within.value)} within prompts."
    lower = within.high is not None and pooled.low is not None and within.high < pooled.low
    return f"{words} They agree on prompts more than on answers." if lower else words


def scale(found: Mapping) -> str:
    """How far the scores went, and how much wider they are."""
    own = found["scale"]
    words = (
        f"The mean score went from {signed(own['means'][0])} to {signed(own['means'][1])}, its standard deviation from "
    )
    words += f"{own['sds'][0]:.2f} to {own['sds'][1]:.2f}."
    if own["slope"].value is None:
        return words
    return (
        f"{words} Within prompts, one point before is worth {own['slope'].value:.2f}{_bounds(own['slope'])} now, and "
        f"scores spread {own['spread'].value:.2f} times as wide. "
        "A constant means nothing, and a temperature undoes a scale."
    )


SCORES = {"sentence": headline, "flip_words": flips, "order_words": order, "scale_words": scale}


def data(found: Mapping) -> str:
    """What came and went between the snapshots."""
    came, went = (found["totals"][side] for side in ("came", "went"))
    if not came["judgements"] and not went["judgements"]:
        return "Both were made from the same judgements."
    words = f"{came['judgements']:,} judgements on {came['prompts']:,} prompts came, {came['test']:,} of them held out"
    if came["judgements"]:
        words += f", by {_named(found['came']['rater'])}"
    if not went["judgements"]:
        return f"{words}; none went."
    gone = found["gone"]
    return f"{words}; {went['judgements']:,} went ({gone['withdrawn']:,} withdrawn, {gone['revised']:,} revised since)."


def _named(raters: Sequence[Mapping]) -> str:
    first = ", ".join(f"{one['name']} ({one['n']:,})" for one in raters[:NAMED])
    more = len(raters) - NAMED
    return f"{first} and {more:,} more" if more > 0 else first


def recipe(found: Sequence[Mapping]) -> str:
    """Which settings differ."""
    own = [one["name"] for one in found if one["name"] not in ("Temperature", "Heads")]
    if not own:
        return "Both were made by the same recipe."
    return f"{len(own)} {'setting differs' if len(own) == 1 else 'settings differ'}: {', '.join(own)}."


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def points(change: float) -> str:
    return f"{100 * change:+.1f} points".replace("-", "−")


def signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _range(one: Interval) -> str:
    return f" ({100 * one.low:.1f}–{100 * one.high:.1f})" if one.low is not None else ""


def _points_range(one: Interval) -> str:
    return f" ({100 * one.low:+.1f} to {100 * one.high:+.1f})".replace("-", "−") if one.low is not None else ""


def _bounds(one: Interval) -> str:
    return f" ({one.low:.2f} to {one.high:.2f})".replace("-", "−") if one.low is not None else ""
