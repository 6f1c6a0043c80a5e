"""Which explanations are made, and how one becomes a row: of stored responses, edited ones and those of a file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from worker.explain import METHODS
from worker.rm.attribution import BY_SCORES, attribute
from worker.rm.attribution import methods as possible
from worker.rm.attribution.batched import batched
from worker.rm.ensemble_runs import Ensemble
from worker.rm.heads import RewardModel
from worker.rm.tuned import TunedModel
from worker.rm.types import PREFERENCE, Example, Report, TokenAttribution

FIELDS = ("tokens", "units", "layers", "features", "baseline", "residual", "score", "cost")
Model = RewardModel | TunedModel | Ensemble
Wanted = dict[str, list[str]]  # method → heads
WHY = {
    "exact": "it bends near a text, or is read at one token that has read all others",
    "prefix": "an encoder reads backwards, too, so there is no score at each token",
    "abc": "several models are read, each with an attention of its own",
}


def wanted(model: Model, asked: Mapping) -> tuple[Wanted, list[dict]]:
    """What can be done of `asked` {"methods", "heads"?}, and what is left out: [{"head", "method", "why"}].

    Without `heads` the exact decomposition is done for all of them, for it is cheap, other methods for the preference.
    Where the preference has no exact split, integrated gradients stand in its place.
    """
    pairs = [(head, method) for method in asked["methods"] for head in _heads(model, asked.get("heads"), method)]
    can = {head: possible(model, head) if head in model.heads else () for head, _ in pairs}
    lost = [(head, method) for head, method in pairs if method not in can[head]]
    if (PREFERENCE, "exact") in lost and "ig" in can[PREFERENCE]:
        pairs.append((PREFERENCE, "ig"))
    found: Wanted = {}
    for head, method in dict.fromkeys(pairs):
        if method in can[head]:
            found.setdefault(method, []).append(head)
    return found, [{"head": head, "method": method, "why": _why(model, head, method)} for head, method in lost]


def _heads(model: Model, asked: Sequence[str] | None, method: str) -> Iterable[str]:
    return asked or (model.heads if method == "exact" else [PREFERENCE])


def _why(model: Model, head: str, method: str) -> str:
    if head not in model.heads:
        return f"The version has no head {head!r}; it has {', '.join(model.heads)}."
    if method not in METHODS:
        return f"There is no method {method!r}; there are {', '.join(METHODS)}."
    return f"{head} has no {METHODS[method].name}: {WHY.get(method, 'it is no smooth score of a text')}."


def explained(
    model: Model, examples: Sequence[Example], method: str, heads: Sequence[str], report: Report
) -> Iterator[tuple[int, TokenAttribution]]:
    """(position of the example, explanation) of every head, those of texts of similar length together.

    `report` hears the method's name and how many of len(examples)·len(heads) are done, also inside long ones.
    """
    stage, total, done = f"explaining by {METHODS[method].name}", len(examples) * len(heads), 0
    runs = ([n] for n in range(len(examples))) if method in BY_SCORES else batched(model, examples)
    for n in (n for run in runs for n in run):
        for head in heads:
            report(stage, done, total, {})
            inside = lambda *_, done=done: report(stage, done, total, {})  # noqa: E731
            yield n, attribute(model, examples[n], head, method, inside)
            done += 1
    report(stage, total, total, {})


def fields_of(told: TokenAttribution) -> dict:
    """As the columns of a row, besides what it is about."""
    return {
        "head": told.head,
        "method": told.method,
        "tokens": [asdict(token) for token in told.tokens],
        "units": [asdict(unit) for unit in told.units],
        "layers": [{"name": name, "value": value} for name, value in told.layers],
        "features": dict(told.features),
        "baseline": told.baseline,
        "residual": told.residual,
        "score": told.score,
        "cost": dict(told.cost),
    }
