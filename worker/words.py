"""A version's metrics in sentences."""

from collections.abc import Iterator

from worker.templatetags.numbers import between, share

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
    if without := metrics.get("without_head"):
        yield f"Too few labels for: {', '.join(without)}. Mark or rate more of them."
