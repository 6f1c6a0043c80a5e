"""Is it just length? Columns → statistics → plain values, and one honest sentence each."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotate.agreement import Interval, pair_accuracy
from inspector import columns as read
from inspector.columns import Columns, Verdicts
from inspector.figures import length_figure
from inspector.kept import kept
from inspector.stats import effect, length, lowess
from worker.models import Version
from worker.models.version import LENGTH_HEAD

DRAWN = 3000  # points of the chart, and what its curve is fitted to
RATERS = 40
SOURCES = 12
SCORES = {"raw": "as it is", "calibrated": "calibrated for length"}
BOTH = {"both": "with its length head"}  # of a version trained with ODIN, which scores without it


@dataclass(frozen=True)
class Known:
    """Everything that the statistics are made of."""

    columns: Columns
    every: Verdicts  # one row per verdict
    pairs: Verdicts  # one row per decided pair
    quality: np.ndarray | None
    curve: lowess.Fitted | None
    drawn: np.ndarray  # rows of columns


@dataclass(frozen=True)
class Look:
    """A version under one of its `scores`; what is read for it is read once, where something is not kept yet."""

    version: Version
    score: str = "raw"

    @cached_property
    def made_of(self) -> str:
        return f"{read.scored_rows(self.version)},{read.judged_rows(self.version.project)}"

    @cached_property
    def scores(self) -> dict[str, str]:
        """What can be chosen. A transform's score has no common scale with a head, so the two are not added."""
        parted = not self.version.transforms and self.version.scores.filter(head=LENGTH_HEAD).exists()
        return SCORES | (BOTH if parted else {})

    @cached_property
    def known(self) -> Known:
        columns = read.read(self.version)
        if self.score == "both":
            columns = columns.valued(columns.values + read.of_head(self.version, LENGTH_HEAD, columns))
        curve, drawn = _curve(columns)
        if self.score == "calibrated" and curve:
            columns = columns.valued(columns.values - curve.at(columns.tokens) + columns.values.mean())
            curve, drawn = _curve(columns)
        every = read.said(self.version.project, columns)
        pairs = read.decided(read.together(every))
        return Known(columns, every, pairs, read.quality(self.version.project, columns), curve, drawn)


def report(look: Look) -> dict:
    """Reward against length, the model beside people, of a version that has scores."""
    return kept(look.version, f"length {look.score}", look.made_of, lambda: _report(look))


def _curve(columns: Columns) -> tuple[lowess.Fitted | None, np.ndarray]:
    """The LOWESS of score on length through at most DRAWN rows, evenly spread, and these rows."""
    rows = len(columns.response)
    drawn = np.unique(np.linspace(0, rows - 1, min(rows, DRAWN)).round().astype(int))
    which = np.unique(columns.which[drawn], return_inverse=True)[1]
    return lowess.fitted(columns.tokens[drawn], columns.values[drawn], which), drawn


def _report(look: Look) -> dict:
    found = look.known
    columns, raters = found.columns, _raters(found)
    model, people = _model(found, look.version.temperature), _people(found)
    return {
        "figure": length_figure(_points(found), _drawn_curve(found.curve)),
        "responses": len(columns.response),
        "prompts": int(columns.which.max()) + 1,
        "sides": [model, people],
        "equal": int((columns.tokens[found.pairs.first] == columns.tokens[found.pairs.second]).sum()),
        "buckets": [vars(one) for one in length.by_bucket(columns.tokens, columns.values, columns.which)],
        "accuracies": _accuracies(found),
        "raters": raters,
        "more_raters": len(found.every.names) > RATERS,
        "quality": found.quality is not None,
        "sources": [name for name, _ in Counter(filter(None, columns.source)).most_common(SOURCES)],
        "sentence": sentence(model, people),
        "effects": effect_sentence(model["effect"], people["effect"], found.quality is not None),
    }


def _points(found: Known) -> dict:
    columns, drawn = found.columns, found.drawn
    return {
        "tokens": columns.tokens[drawn].tolist(),
        "rewards": [round(value, 4) for value in columns.values[drawn].tolist()],
        "items": columns.item[drawn].tolist(),
    }


def _drawn_curve(curve: lowess.Fitted | None) -> dict | None:
    return {name: getattr(curve, name).tolist() for name in ("x", "y", "low", "high")} if curve else None


def _model(found: Known, temperature: float) -> dict:
    columns = found.columns
    margins, first, second = _margins(found, found.pairs)
    prefers = 0.5 + np.sign(margins) / 2
    correlations = length.correlations(columns.tokens, columns.values, columns.which)
    return {
        "name": "Model",
        "longer": length.longer_wins(first, second, prefers).share,
        "correlations": list(correlations.listed),
        "effect": effect.of_scores(columns.values / temperature, columns.tokens, columns.which, found.quality),
        "responses": len(columns.response),
    }


def _people(found: Known) -> dict:
    """People's score of a response is its mean result: won 1, lost −1, over the decided pairs it was in."""
    columns, result = found.columns, read.results(found.pairs, len(found.columns.response))
    judged = ~np.isnan(result)
    _, first, second = _margins(found, found.pairs)
    return {
        "name": "People",
        "longer": length.longer_wins(first, second, found.pairs.p).share,
        "correlations": list(length.correlations(columns.tokens[judged], result[judged], columns.which[judged]).listed),
        "effect": _said_effect(found, found.every),
        "responses": int(judged.sum()),
    }


def _margins(found: Known, pairs: Verdicts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The model's margin, and the lengths of both."""
    values, tokens = found.columns.values, found.columns.tokens
    return values[pairs.first] - values[pairs.second], tokens[pairs.first], tokens[pairs.second]


def _said_effect(found: Known, said: Verdicts) -> Interval:
    _, first, second = _margins(found, said)
    better = None if found.quality is None else found.quality[said.first] - found.quality[said.second]
    which = np.unique(found.columns.which[said.first], return_inverse=True)[1]
    return effect.of_verdicts(first - second, said.p, which, better)


def _accuracies(found: Known) -> list[dict]:
    """On held-out prompts, as named rows of the table."""
    pairs = found.pairs.picked(found.columns.held_out[found.pairs.first])
    margins, first, second = _margins(found, pairs)
    split = length.split_accuracy(margins, pairs.p, first, second)
    rows = [
        ("All decided", pair_accuracy(margins, pairs.p)),
        ("People chose the longer", split.longer_chosen),
        ("People chose the shorter", split.shorter_chosen),
        ("Baseline: always the longer", length.longer_wins(first, second, pairs.p).share),
    ]
    return [{"name": name, "accuracy": accuracy} for name, accuracy in rows]


def _raters(found: Known) -> list[dict]:
    """Each rater beside the model on the same pairs, the busiest first."""
    decided = read.decided(found.every)
    order = np.argsort(-np.bincount(decided.rater, minlength=len(decided.names)), kind="stable")
    rows = (_rater(found, decided.picked(decided.rater == one), one) for one in order[:RATERS].tolist())
    return [row for row in rows if row["longer"].n]


def _rater(found: Known, mine: Verdicts, one: int) -> dict:
    margins, first, second = _margins(found, mine)
    return {
        "name": found.every.names[one],
        "longer": length.longer_wins(first, second, mine.p).share,
        "model_longer": length.longer_wins(first, second, 0.5 + np.sign(margins) / 2).share,
        "effect": _said_effect(found, found.every.picked(found.every.rater == one)),
        "accuracy": pair_accuracy(margins, mine.p),
    }


def sentence(model: Mapping, people: Mapping) -> str:
    """What the page shows now."""
    ours, theirs = model["longer"], people["longer"]
    if ours.value is None or theirs.value is None:
        return f"The model cannot be held against people yet: {ours.why or theirs.why}."
    words = (
        f"The model prefers the longer response in {100 * ours.value:.0f} % of the {ours.n:,} pairs that people "
        f"decided; people did in {100 * theirs.value:.0f} % ({100 * theirs.low:.0f}–{100 * theirs.high:.0f})."
    )
    within = model["correlations"][2]
    if within.value is not None:
        words += f" Within a prompt, reward and length correlate at {within.value:+.2f}.".replace("-", "−")
    return f"{words} {_verdict(ours, theirs)}"


def _verdict(ours: Interval, theirs: Interval) -> str:
    if ours.low > theirs.high:
        return "That is more than people do: length earns reward by itself."
    if ours.high < theirs.low:
        return "That is less than people do: the model holds length down."
    return "The intervals overlap: no sign that length counts for more than it does for people."


def effect_sentence(model: Interval, people: Interval, quality: bool) -> str:
    """What 20 more tokens are worth to each, as far as it can be said."""
    said = [
        f"{signed(one.value)} to {name}{between(one)}"
        for name, one in (("the model", model), ("people", people))
        if one.value is not None
    ]
    if not said:
        return f"What 20 more tokens are worth cannot be said yet: {model.why or people.why}."
    equal = "at equal gold" if quality else "whatever comes with them"
    return f"In log-odds of being preferred, 20 more tokens are worth {' and '.join(said)}, {equal}."


def signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def between(one: Interval) -> str:
    return f" ({signed(one.low)} to {signed(one.high)})" if one.low is not None else ""
