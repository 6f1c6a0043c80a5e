"""A version's metrics in sentences, and the checks that every training makes on itself."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from worker.templatetags.numbers import between, decimals, share

CLOSE = 1e-3  # nats that an untrained loss may be away from ln 2

TRIVIAL = {
    "longer_wins": "the rule that the longer response wins",
    "always_first": "the rule that the first response wins",
    "majority": "the side preferred more often in training",
}


def in_words(metrics: dict) -> list[str]:
    """What the numbers say, most important first; empty when nothing was measured."""
    accuracy = metrics.get("pair_accuracy") or {}
    if accuracy.get("value") is None:
        return ["No held-out pair was decided, so nothing is known about its accuracy."]
    return [_accuracy(accuracy), *_against_trivial(metrics), *_against_people(metrics), *_warnings(metrics)]


def _accuracy(accuracy: dict) -> str:
    said = f"It agrees with people on {share(accuracy['value'])} of {accuracy['n']:,} held-out pairs"
    return f"{said} (95 % interval {between(accuracy)})."


def _against_trivial(metrics: dict) -> Iterator[str]:
    """Against the strongest rule that needs no reading."""
    known = {name: b for name, b in metrics.get("baselines", {}).items() if b.get("value") is not None}
    if not known:
        return
    name = max(known, key=lambda key: known[key]["value"])
    rule, accuracy = known[name], metrics["pair_accuracy"]
    gain = 100 * (accuracy["value"] - rule["value"])
    if gain <= 0:
        yield f"It does not beat {TRIVIAL[name]} ({share(rule['value'])}): do not use it yet."
    elif accuracy["low"] > rule["value"]:
        yield f"It beats {TRIVIAL[name]} ({share(rule['value'])}) by {gain:.1f} points, and the interval lies above it."
    else:
        yield f"It beats {TRIVIAL[name]} ({share(rule['value'])}) by {gain:.1f} points, which may be chance."


def _against_people(metrics: dict) -> Iterator[str]:
    ceiling = metrics.get("ceiling")
    if ceiling:
        yield (
            f"People agree with each other so often that {share(ceiling['value'])} is the most any model could reach "
            f"on one rater's labels (from {ceiling['n']:,} repeated verdicts)."
        )
    else:
        yield "No pair was judged twice, so how well it could do at best is not known."


def _warnings(metrics: dict) -> Iterator[str]:
    if metrics.get("swapped_check", {}).get("suspicious"):
        yield "It does better against swapped labels: labels or the order shown were probably turned round somewhere."
    if truncated := metrics.get("truncated"):
        yield f"{truncated:,} responses were longer than the model reads and were cut."
    if alike := metrics.get("read_alike"):
        yield f"{alike:,} compared pairs differ in their texts and not in what the model reads: they teach nothing."
    if without := metrics.get("without_head"):
        yield f"Too few labels for: {', '.join(without)}. Mark or rate more of them."


class Check(NamedTuple):
    title: str
    good: bool
    said: str


def checks(metrics: Mapping) -> list[Check]:
    """Those that were made: each says what must hold, and whether it does."""
    made = (_swapped(metrics), _untrained(metrics), _leakage(metrics))
    return [check for check in made if check]


def _swapped(metrics: Mapping) -> Check | None:
    swapped, accuracy = metrics.get("swapped_check") or {}, metrics.get("pair_accuracy") or {}
    if swapped.get("value") is None or accuracy.get("value") is None:
        return None
    adds_up = abs(swapped["value"] + accuracy["value"] - 1) < 1e-6
    said = f"{share(accuracy['value'])} with the labels as given, {share(swapped['value'])} with them swapped"
    if not adds_up:
        return Check("Swapped labels", False, f"{said}: the two must sum to 100 %.")
    if swapped.get("suspicious"):
        return Check("Swapped labels", False, f"{said}: labels or the order shown were probably turned round.")
    return Check("Swapped labels", True, f"{said}; the two sum to 100 %, as they must.")


def _untrained(metrics: Mapping) -> Check | None:
    loss = metrics.get("step0_loss")
    loss = loss.get("value") if isinstance(loss, Mapping) else loss
    if loss is None or math.isnan(loss):  # NaN: no pair was whole in the first batch
        return None
    if metrics.get("warm"):
        said = (
            f"{decimals(loss, 4)} before the first step: it began from the weights of a version, which prefer already."
        )
        return Check("Loss at step 0", True, said)
    good = abs(loss - math.log(2)) < CLOSE
    said = f"{decimals(loss, 4)} before the first step; a model that prefers nothing has ln 2 = 0.6931"
    return Check("Loss at step 0", good, f"{said}." if good else f"{said}: it began with an opinion.")


def _leakage(metrics: Mapping) -> Check | None:
    leaked = metrics.get("leakage")
    if leaked is None:
        return None
    counts = leaked if isinstance(leaked, Mapping) else {"prompts": leaked}
    found = {name: n for name, n in counts.items() if isinstance(n, int | float) and n}
    if not found:
        return Check("Leakage", True, "Nothing of the held-out prompts was trained on.")
    said = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in found.items())
    return Check("Leakage", False, f"Held out and trained on as well: {said}.")
