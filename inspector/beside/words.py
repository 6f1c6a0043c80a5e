"""Whose bias did the model take over? Intervals → one honest sentence each for length and position."""

from collections.abc import Mapping, Sequence

from annotate.agreement.raters import FAIR
from inspector.length import between, signed
from inspector.stats.together import sure, taken_over

NAMED = 4  # of more raters the sentence counts the others


def sentence(rows: Sequence[Mapping]) -> str:
    """Of the model's row and those of raters."""
    model, *raters = rows
    if not raters:
        return "Nobody has decided a pair of scored responses yet, so that there is nobody to hold the model against."
    return f"{_of_length(model, raters)} {_of_position(model, raters)}"


def _of_length(model: Mapping, raters: Sequence[Mapping]) -> str:
    ours = model["length"]
    if ours.value is None:
        return f"Whose length bias the model took over cannot be said: {ours.why}."
    words = f"To the model 20 more tokens are worth {signed(ours.value)}{between(ours)} in log-odds of being preferred."
    over, apart = taken_over(ours, {rater["name"]: rater["length"] for rater in raters})
    if not over and not apart:
        return f"{words} No rater's length bias is sure, so none can have been taken over."
    if not sure(ours):
        return f"{words} It surely leans neither way: it took over nobody's length bias."
    worth = {rater["name"]: signed(rater["length"].value) for rater in raters if rater["name"] in apart}
    others = f"that of {_listed([f'{name} ({worth[name]})' for name in apart])} lies apart" if apart else ""
    if not over:
        return f"{words} It is nobody's length bias: {others}."
    taken = f"It took over the length bias of {_listed(over)}: the intervals overlap"
    return f"{words} {taken}; {others}." if others else f"{words} {taken}."


def _of_position(model: Mapping, raters: Sequence[Mapping]) -> str:
    biased = [f"{rater['name']} ({signed(rater['order'].value)})" for rater in raters if sure(rater["order"])]
    words = f"Being shown first counts for {_listed(biased)}; " if biased else "No rater surely favours a side; "
    first = model["first"]
    if first.value is None:
        return f"{words}the model cannot be held against that: {first.why}."
    words += f"the model, which sees no order, prefers the first shown in {100 * first.value:.0f} %"
    words += f" ({100 * first.low:.0f}–{100 * first.high:.0f}), "
    fair = first.low <= FAIR <= first.high
    words += "as often as by lot: it took over nobody's." if fair else "not as often as by lot: some of it got in."
    gamma = model["gamma"]
    if gamma.value is None:
        return words
    return f"{words} Training put γ = {signed(gamma.value)}{between(gamma)} aside for it."


def _listed(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
