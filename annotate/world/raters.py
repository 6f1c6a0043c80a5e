"""Simulated raters whose noise, position bias and length bias are known. PURE.

With Δ = sharpness·(gold₁ − gold₂) + order + length·(words₁ − words₂)/20, for the response shown first and the other:

    P(first) = σ(Δ − α)    P(second) = σ(−Δ − α)    P(tie) = the rest        (Rao and Kupper, 1967; α = ln θ)

Each rater marks a true flaw with probability 1 − miss, and a flawless part with probability `false_alarm`.
Ratings are noisy and monotone: helpful in gold, accurate in wrong facts, concise in what could be left out.
"""

from dataclasses import dataclass

import numpy as np

from annotate.world.answers import COST, Answer, Flaw

TIE_THETA = 1.5
BAD = -0.8  # a tie of two answers below this gold is called "both bad"
CATEGORIES = ("wrong", "irrelevant", "repetition", "padding")
REASONS = {
    "wrong": "{} gives a value that is not in the table.",
    "irrelevant": "{} wanders off the subject.",
    "repetition": "{} says the same thing twice.",
    "padding": "{} spends words on saying nothing.",
}


@dataclass(frozen=True)
class Rater:
    name: str
    sharpness: float  # log-odds per point of gold
    order: float  # log-odds for whatever is shown first
    length: float  # log-odds per 20 words
    miss: float
    false_alarm: float


RATERS = (
    Rater("Ines Karvo", 1.8, 0.25, 0.50, 0.06, 0.005),
    Rater("Bruno Tael", 1.4, 0.40, 0.70, 0.10, 0.010),
    Rater("Greta Olund", 1.0, 0.55, 0.90, 0.14, 0.015),
)


@dataclass(frozen=True)
class Verdict:
    """One rater's judgement of two answers of a question, by their places; `shown` is left, right."""

    rater: str
    question: int
    shown: tuple[int, int]
    outcome: str  # ranking, tie or both_bad
    best: int | None  # the preferred answer's place, for a ranking
    strength: int | None
    spans: dict[int, tuple[Flaw, ...]]  # of each answer shown
    missing: dict[int, tuple[str, ...]]  # labels of the facts found missing
    ratings: dict[int, dict[str, int]]
    rationale: str
    active_ms: int

    @property
    def p(self) -> float:
        """1 when the first shown is preferred, 0 when the second is, .5 for a tie."""
        return 0.5 if self.best is None else float(self.best == self.shown[0])


def advantage(rater: Rater, first: Answer, second: Answer) -> float:
    """Δ of the formula above."""
    by_length = rater.length * (first.words - second.words) / 20
    return rater.sharpness * (first.gold - second.gold) + rater.order + by_length


def judge(
    rater: Rater, question: int, answers: tuple[Answer, ...], shown: tuple[int, int], rng: np.random.Generator
) -> Verdict:
    """One draw from the rater's distribution over verdicts, spans and ratings."""
    pair = [answers[place] for place in shown]
    delta = advantage(rater, *pair)
    best = _winner(delta, shown, rng)
    spans = {place: mark(rater, answers[place], rng) for place in shown}
    clear = best is not None and (delta > 0) == (best == shown[0])  # the draw went where the rater leans
    return Verdict(
        rater=rater.name,
        question=question,
        shown=shown,
        outcome="ranking" if best is not None else "both_bad" if max(a.gold for a in pair) < BAD else "tie",
        best=best,
        strength=None if best is None else 1 + clear * ((abs(delta) > 1) + (abs(delta) > 2.5)),
        spans=spans,
        missing={p: tuple(m for m in answers[p].missing if rng.random() > rater.miss) for p in shown},
        ratings={place: rate(answers[place], rng) for place in shown},
        rationale=_rationale(best, shown, spans) if rng.random() < 0.3 else "",
        active_ms=int(1000 * rng.lognormal(3.2, 0.4)),
    )


def mark(rater: Rater, answer: Answer, rng: np.random.Generator) -> tuple[Flaw, ...]:
    """The true flaws that the rater sees, and now and then a part with nothing wrong."""
    seen = [flaw for flaw in answer.flaws if rng.random() > rater.miss]
    clean = [p for p in answer.parts if not any(p[0] < end and start < p[1] for start, end, _ in answer.flaws)]
    false = [(*p, str(rng.choice(CATEGORIES))) for p in clean if rng.random() < rater.false_alarm]
    return tuple(sorted(seen + false))


def rate(answer: Answer, rng: np.random.Generator) -> dict[str, int]:
    """Ratings from 1 to 5."""
    plan = answer.plan
    spare = 0.8 * (plan.irrelevant + plan.repeated) + 0.6 * plan.padding + answer.words / 60
    latent = {"helpful": 3.2 + 1.3 * answer.gold, "accurate": 4.6 - 1.8 * len(plan.wrong), "concise": 5 - spare}
    return {name: int(np.clip(round(value + rng.normal(0, 0.5)), 1, 5)) for name, value in latent.items()}


def _winner(delta: float, shown: tuple[int, int], rng: np.random.Generator) -> int | None:
    alpha, u = np.log(TIE_THETA), rng.random()
    if u < _sigmoid(delta - alpha):
        return shown[0]
    return shown[1] if u > 1 - _sigmoid(-delta - alpha) else None


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _rationale(best: int | None, shown: tuple[int, int], spans: dict[int, tuple[Flaw, ...]]) -> str:
    """What is worst about the answer that lost, as the rater sees it."""
    if best is None:
        return ""
    place = shown[0] if best == shown[1] else shown[1]
    side = "The left answer" if place == shown[0] else "The right answer"
    worst = max(spans[place], key=lambda flaw: COST.get(flaw[2], 0), default=None)
    return REASONS[worst[2]].format(side) if worst else ""
