"""Raters and the model trained on them: biases, agreement, accuracy, and what each weighed in training."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from django.db.models import Count, Min, Q, Sum

from annotate.agreement import Interval, pair_accuracy, undefined, wilson
from annotate.agreement.raters import position_bias
from annotate.models.item import Split
from inspector import columns as read
from inspector import people
from inspector.beside.words import sentence
from inspector.columns import Verdicts
from inspector.figures import intervals_figure
from inspector.kept import kept
from inspector.length import RATERS, Known, Look
from inspector.stats import effect, length
from inspector.stats.together import with_others
from worker.models import Version

NO_FIT, ONE_FIT = "the recipe learned none", "the recipe learned one for all"
GIVEN = undefined("a model answers nothing of the kind")
UNKNOWN = undefined("no gold came with the responses")


def report(look: Look) -> dict:
    """The model's row, people's together, and one per rater, of a version that has scores."""
    version, found = look.version, kept(look.version, "beside", look.made_of, partial(_measured, look))
    learned, tallies = _learned(version), {(row.who, row.source): row for row in people.raters_of(version.project)}
    model, *rest = found["rows"]
    rows = [model | {"gamma": learned["shared"]} | _of_tally(None)]
    rows += [row | _of_tally(tallies.get((row["who"], row["source"]))) | _trained(learned, row["who"]) for row in rest]
    return found | {
        "rows": rows,
        "weighed": learned["weighed"],
        "used": learned["used"],
        "figure": _figure(rows),
        "sentence": sentence(rows),
    }


def _figure(rows: list[dict]) -> dict:
    sides = {"20 more tokens": [row["length"] for row in rows], "shown first": [row["order"] for row in rows]}
    return intervals_figure([row["name"] for row in rows], sides, "Log-odds of being preferred")


# ---- Measured on verdicts and scores


def _measured(look: Look) -> dict:
    known = look.known
    decided = read.decided(known.every)
    counts = np.bincount(decided.rater, minlength=len(decided.names))
    order = [one for one in np.argsort(-counts, kind="stable").tolist() if counts[one]]
    agree = _with_others(decided)
    raters = [_rater(known, decided, one) | {"others": agree[one]} for one in order[:RATERS]]
    rows = [_model(known, decided, look.version.temperature), *raters]
    return {"rows": rows, "quality": known.quality is not None, "more": len(order) > RATERS}


def _with_others(decided: Verdicts) -> list[Interval]:
    low_won = (decided.p > 0.5) == (decided.first < decided.second)
    return with_others(_pairs(decided), low_won, decided.rater, len(decided.names))


def _pairs(said: Verdicts) -> np.ndarray:
    """A number for each two responses, in whichever order they were shown."""
    low, high = np.minimum(said.first, said.second), np.maximum(said.first, said.second)
    return low * (1 + int(high.max(initial=0))) + high


def _model(known: Known, decided: Verdicts, temperature: float) -> dict:
    """On each pair that people decided, once; it gives no verdict of its own on anything else."""
    columns, pairs, margins = known.columns, known.pairs, _margins(known, known.pairs)
    return {
        "name": "Model",
        "who": "",
        "source": "model",
        "decided": len(margins),
        "first": _first(known, decided),
        "order": undefined("a score knows no order"),
        "longer": length.longer_wins(*_tokens(known, pairs), 0.5 + np.sign(margins) / 2).share,
        "length": effect.of_scores(columns.values / temperature, columns.tokens, columns.which, known.quality),
        "held_out": pair_accuracy(*_held_out(known, pairs), "people decided no held-out pair"),
        "others": GIVEN,
        "gold": _by_gold(known, pairs, margins),
    }


def _first(known: Known, decided: Verdicts) -> Interval:
    """Share of pairs whose first shown the model prefers; one that was shown in both orders counts by how often."""
    says = 0.5 + np.sign(_margins(known, decided)) / 2
    pair = _pairs(decided)
    which = np.unique(pair, return_inverse=True)[1]
    means = np.bincount(which, says) / np.bincount(which)
    return wilson(float(means.sum()), len(means), "people decided no pair")


def _rater(known: Known, decided: Verdicts, one: int) -> dict:
    every, mine = (found.picked(found.rater == one) for found in (known.every, decided))
    first, second = _tokens(known, every)
    better = None if known.quality is None else known.quality[every.first] - known.quality[every.second]
    lean = effect.biases(first - second, every.p, known.columns.which[every.first], better)
    who, source = known.every.who[one]
    return {"name": known.every.names[one], "who": who, "source": source, "decided": len(mine.p)} | {
        "first": position_bias(int((mine.p > 0.5).sum()), len(mine.p)),
        "order": lean.order,
        "longer": length.longer_wins(*_tokens(known, mine), mine.p).share,
        "length": lean.length,
        "held_out": pair_accuracy(*_held_out(known, mine), "this rater decided no held-out pair"),
        "gold": _by_gold(known, mine, mine.p - 0.5),
    }


def _margins(known: Known, said: Verdicts) -> np.ndarray:
    return known.columns.values[said.first] - known.columns.values[said.second]


def _tokens(known: Known, said: Verdicts) -> tuple[np.ndarray, np.ndarray]:
    return known.columns.tokens[said.first], known.columns.tokens[said.second]


def _held_out(known: Known, said: Verdicts) -> tuple[np.ndarray, np.ndarray]:
    """The model's margins and the verdicts on prompts that it was not trained on."""
    out = said.picked(known.columns.held_out[said.first])
    return _margins(known, out), out.p


def _by_gold(known: Known, said: Verdicts, margins: np.ndarray) -> Interval:
    """Share of verdicts for the response that the gold which came with the data calls better; equal ones left out."""
    if known.quality is None:
        return UNKNOWN
    better = known.quality[said.first] - known.quality[said.second]
    apart = better != 0
    return pair_accuracy(margins[apart], (better[apart] > 0).astype(float), "the gold tells no pair apart")


# ---- Counted as people judge, and learned in training


def _of_tally(tally: people.Rater | None) -> dict:
    """Consistency, known answers, haste and reliability; of the model none."""
    if tally is None:
        return dict.fromkeys(("known", "same", "fast", "truth", "follows"), GIVEN)
    names = {"known": tally.gold, "same": tally.same, "fast": tally.fast}
    return names | {"truth": tally.truth, "follows": tally.follows}


def _learned(version: Version) -> dict:
    """What training made of each rater; the trainer numbers raters in the order of their first judgements."""
    train = Q(split=Split.TRAIN)
    rows = version.snapshot.rows.order_by().values("judgement__rater_id", "judgement__rater_name")
    weight = Sum("judgement__weight", filter=train)
    rows = rows.annotate(begun=Min("judgement_id"), n=Count("pk"), trained=Count("pk", filter=train), weight=weight)
    found, metrics = {}, version.metrics
    for row in sorted(rows, key=lambda row: row["begun"]):
        account, name = row["judgement__rater_id"], row["judgement__rater_name"]
        who = f"user:{account}" if account else f"name:{name}"
        mine = found.setdefault(who, {"number": f"rater {len(found) + 1}", "used": 0, "trained": 0, "weight": 0.0})
        mine["used"] += row["n"]
        mine["trained"] += row["trained"]
        mine["weight"] += row["weight"] or 0.0
    return {
        "raters": found,
        "used": sum(one["used"] for one in found.values()),
        "weighed": "reliability" in metrics,
        "reliability": metrics.get("reliability", {}),
        "gammas": version.order_by_rater,
        "shared": version.order_effect or undefined(NO_FIT),
    }


def _trained(learned: Mapping, who: str) -> dict:
    """γ, judgements in the snapshot, and the share of all that training weighed."""
    mine = learned["raters"].get(who)
    if mine is None:
        return {"gamma": undefined(NO_FIT), "used": 0, "trained": 0, "reliability": None, "share": 0.0}
    each = {name: one["weight"] * _trust(learned, one["number"]) for name, one in learned["raters"].items()}
    why = NO_FIT if learned["shared"].value is None else ONE_FIT
    return {
        "gamma": learned["gammas"].get(mine["number"]) or undefined(why),
        "used": mine["used"],
        "trained": mine["trained"],
        "reliability": _trust(learned, mine["number"]) if learned["weighed"] else None,
        "share": each[who] / sum(each.values()) if sum(each.values()) else 0.0,
    }


def _trust(learned: Mapping, number: str) -> float:
    """What a rater's verdicts were weighed by; of whom nothing was known counts as the mean of the others."""
    known = learned["reliability"]
    return known.get(number, sum(known.values()) / len(known)) if known else 1.0
