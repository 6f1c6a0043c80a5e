"""Rows → statistics → plain values and one honest sentence each."""

from collections import defaultdict
from dataclasses import dataclass

from annotate.agreement import Interval, Undefined, pair_accuracy
from inspector import rows
from inspector.stats import drift, length
from worker.models import Pool, Version


@dataclass(frozen=True)
class Side:
    """One row of the length page: the model, or people, on the same judged pairs."""

    name: str
    correlations: length.Correlations
    longer: length.LongerWins
    responses: int


@dataclass(frozen=True)
class LengthReport:
    tokens: list[int]
    rewards: list[float]
    items: list[int]  # the item of each point, to click through
    bins: list[length.Bin]
    model: Side
    people: Side
    accuracy: Interval  # on held-out pairs, like the two splits
    always_longer: Interval
    split: length.SplitAccuracy
    prompts: int
    sentence: str


def length_report(version: Version) -> LengthReport | None:
    """Reward against length, the model beside people; None while the version has no scores."""
    scored = rows.scores(version)
    if not scored:
        return None
    pairs = [p for p in rows.judged_pairs(version.project) if p.decided and {p.first, p.second} <= scored.keys()]
    model, people = _model(scored, pairs), _people(scored, pairs)
    held_out = [pair for pair in pairs if pair.held_out]
    margins, p, first, second = _columns(scored, held_out)
    values = list(scored.values())
    return LengthReport(
        tokens=[s.tokens for s in values],
        rewards=[s.value for s in values],
        items=[s.item for s in values],
        bins=length.binned([s.tokens for s in values], [s.value for s in values]),
        model=model,
        people=people,
        accuracy=pair_accuracy(margins, p),
        always_longer=length.longer_wins(first, second, p).share,
        split=length.split_accuracy(margins, p, first, second),
        prompts=len({s.prompt for s in values}),
        sentence=length_sentence(model, people),
    )


def accuracies(report: LengthReport) -> list[tuple[str, Interval]]:
    """The rows of the accuracy table, by name."""
    return [
        ("All decided", report.accuracy),
        ("People chose the longer", report.split.longer_chosen),
        ("People chose the shorter", report.split.shorter_chosen),
        ("Baseline: always the longer", report.always_longer),
    ]


def _columns(scored: dict[int, rows.Scored], pairs: list[rows.Pair]) -> tuple[list[float], ...]:
    """margins, p, tokens of the first, tokens of the second."""
    both = [(scored[pair.first], scored[pair.second], pair.p) for pair in pairs]
    return (
        [a.value - b.value for a, b, _ in both],
        [p for _, _, p in both],
        [a.tokens for a, _, _ in both],
        [b.tokens for _, b, _ in both],
    )


def _model(scored: dict[int, rows.Scored], pairs: list[rows.Pair]) -> Side:
    values = list(scored.values())
    found = length.correlations([s.tokens for s in values], [s.value for s in values], [s.prompt for s in values])
    margins, _, first, second = _columns(scored, pairs)
    prefers = [0.5 + (margin > 0) / 2 - (margin < 0) / 2 for margin in margins]
    return Side("Model", found, length.longer_wins(first, second, prefers), len(values))


def _people(scored: dict[int, rows.Scored], pairs: list[rows.Pair]) -> Side:
    """People's score of a response is its mean result: won 1, lost −1, over the decided pairs it was in."""
    results = defaultdict(list)
    for pair in pairs:
        results[pair.first].append(1 if pair.p > 0.5 else -1)
        results[pair.second].append(-1 if pair.p > 0.5 else 1)
    tokens = [scored[r].tokens for r in results]
    means = [sum(given) / len(given) for given in results.values()]
    found = length.correlations(tokens, means, [scored[r].prompt for r in results])
    _, p, first, second = _columns(scored, pairs)
    return Side("People", found, length.longer_wins(first, second, p), len(results))


def length_sentence(model: Side, people: Side) -> str:
    """What the length page shows now."""
    ours, theirs = model.longer.share, people.longer.share
    if ours.value is None or theirs.value is None:
        return f"The model cannot be held against people yet: {ours.why or theirs.why}."
    within = model.correlations.within
    words = (
        f"The model prefers the longer response in {100 * ours.value:.0f} % of the pairs that people decided; "
        f"people did in {100 * theirs.value:.0f} %."
    )
    if within.value is not None:
        words += f" Within a prompt, reward and length correlate at {within.value:+.2f}."
    return f"{words} {_verdict(ours, theirs)}"


def _verdict(ours: Interval, theirs: Interval) -> str:
    if ours.low > theirs.high:
        return "That is more than people do: length earns reward by itself."
    if ours.high < theirs.low:
        return "That is less than people do: the model holds length down."
    return "The intervals overlap: no sign that length counts for more than it does for people."


@dataclass(frozen=True)
class DriftReport:
    pool: Pool
    drift: drift.Drift | None  # None: `why` says what is missing
    why: str
    sentence: str
    scored: bool


def drift_report(version: Version, pool: Pool) -> DriftReport:
    """Proxy and gold over best-of-n for one pool."""
    values = rows.candidate_values(version, pool)
    if not values:
        return DriftReport(pool, None, "This version has not scored the pool yet.", "", scored=False)
    try:
        found = drift.drift(list(values.values()))
    except Undefined as error:
        return DriftReport(pool, None, f"There is no curve: {error}.", "", scored=True)
    return DriftReport(pool, found, "", drift_sentence(found), scored=True)


def drift_sentence(found: drift.Drift) -> str:
    """What the drift page shows now: a turn only where the measured fall is sure."""
    last, fall = int(found.ns[-1]), found.fall
    proxy, gold = float(found.proxy.mean[-1]), float(found.gold.mean[-1])
    ends = f"By best of {last} the proxy has gained {proxy:.2f} sd and the gold {gold:.2f} sd.".replace("-", "−")
    if found.best_n == last:
        return f"No peak within the range: gold is still highest at best of {last}. {ends}"
    where = f"best of {found.best_n} (KL {float(drift.kl(found.best_n)):.2f})"
    if fall.high < 0:
        loss = f"{-fall.value:.2f} sd ({-fall.high:.2f} to {-fall.low:.2f})"
        return f"Gold turns over: it is highest at {where} and then loses {loss}. {ends}"
    return f"Gold is highest at {where}; what it loses from there is within the noise, so no turn is claimed. {ends}"


@dataclass(frozen=True)
class Point:
    """One n of the drift page, for its table: gains as intervals, means in their own units."""

    n: int
    kl: float
    d: float
    proxy: Interval
    gold: Interval
    raw_proxy: float
    raw_gold: float


def drift_rows(found: drift.Drift) -> list[Point]:
    """The curves as a table."""
    proxy, gold = _intervals(found.proxy, found.prompts), _intervals(found.gold, found.prompts)
    columns = zip(found.ns, found.kl, found.d, proxy, gold, found.proxy.raw, found.gold.raw, strict=True)
    return [Point(int(n), float(kl), float(d), p, g, float(rp), float(rg)) for n, kl, d, p, g, rp, rg in columns]


def _intervals(curve: drift.Curve, n: int) -> list[Interval]:
    bounds = zip(curve.mean, curve.low, curve.high, strict=True)
    return [Interval(float(mean), float(low), float(high), n) for mean, low, high in bounds]
