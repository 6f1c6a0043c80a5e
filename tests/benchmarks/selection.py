"""How many labels each order of the tasks saves against random order, at the same held-out accuracy.

    python -m tests.benchmarks.selection [--quick]

Simulated raters of the known world judge pairs one batch at a time; after each batch a logistic head on the bundled
backbone's embeddings and features is fitted, and the next batch is picked by the product's own acquisition.py, with a
fifth of it by lot. Accuracy is against the planted gold, on prompts that are held out. Seeds redraw the first labels,
the lots and every verdict; intervals come from redrawing seeds. It checks first that the stored probabilities correct
the accuracy measured on what was picked.
"""

import json
import sys
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit

from annotate.world import RATERS, World, make_world
from annotate.world.raters import judge
from tests.benchmarks.__main__ import machine
from tests.worker.known import dataset
from worker.rm import acquisition
from worker.rm.backbone import load
from worker.rm.embed import embed

QUICK = "--quick" in sys.argv
QUESTIONS, SEEDS = (60, 5) if QUICK else (400, 24)
START, BATCH, AT, MOST = (30, 30, 150, 210) if QUICK else (50, 50, 400, 600)
MEMBERS, SHARE, PRECISION = 8, 0.2, 0.3
STRATEGIES = ("margin", "disagreement", "information")


@dataclass(frozen=True)
class Setting:
    """Pairs that can be asked, with their features, and held-out pairs with the planted order."""

    world: World
    pairs: list[tuple[int, int, int]]  # question, answer, answer
    z: np.ndarray
    test: np.ndarray
    gold: np.ndarray  # ±1


def setting() -> Setting:
    torch.set_num_threads(1)
    world = make_world(questions=QUESTIONS, pool=0, open_pairs=0, overlap=1)
    data = dataset(world)
    found = embed(load("minilm"), data.examples)
    x = np.concatenate([_scaled(found.pooled) / np.sqrt(found.pooled.shape[1]), _scaled(found.surface) / 4], 1)
    pairs = [(q, a, b) for q in range(QUESTIONS) for a in range(4) for b in range(a + 1, 4)]
    gold = np.array([[answer.gold for answer in question.answers] for question in world.questions])
    held = np.array([data.examples[4 * q].group in data.test_groups for q, _, _ in pairs])
    better = np.array([np.sign(gold[q, a] - gold[q, b]) for q, a, b in pairs])
    z = acquisition.directions(np.array([x[4 * q + a] - x[4 * q + b] for q, a, b in pairs]))
    kept = held & (better != 0)
    return Setting(world, [p for p, out in zip(pairs, held, strict=True) if not out], z[~held], z[kept], better[kept])


def _scaled(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(0)) / np.maximum(x.std(0), 1e-6)


def fit(z: np.ndarray, p: np.ndarray, count: np.ndarray) -> np.ndarray:
    """(d,) weights of a logistic head with a normal prior, by Newton's method; `count` (pairs,) weighs the labels."""
    weights = np.zeros(z.shape[1])
    for _ in range(12):
        said = expit(z @ weights)
        slope = z.T @ (count * (said - p)) + PRECISION * weights
        curvature = (z * (count * said * (1 - said))[:, None]).T @ z + PRECISION * np.eye(z.shape[1])
        weights -= np.linalg.solve(curvature, slope)
    return weights


def worth(name: str, one: Setting, left: np.ndarray, asked: list[int], p: np.ndarray, weights: np.ndarray, rng):
    """(left,) positions among `left`, best first."""
    margins = one.z[left] @ weights
    if name == "margin":
        return np.argsort(-acquisition.margin(margins), kind="stable")
    if name == "information":
        covariance = acquisition.posterior_covariance(one.z[asked] @ weights, one.z[asked], PRECISION)
        return acquisition.greedy(margins, one.z[left], covariance, BATCH)[0]
    redrawn = [rng.multinomial(len(asked), np.full(len(asked), 1 / len(asked))) for _ in range(MEMBERS)]
    members = np.stack([one.z[left] @ fit(one.z[asked], p, count) for count in redrawn])
    return np.argsort(-acquisition.disagreement(members), kind="stable")


def run(name: str, one: Setting, seed: int) -> tuple[list[float], list[tuple[float, float]]]:
    """Held-out accuracy after each batch; and how far the accuracy on what was picked is from that on all that was
    left, as it is and corrected by the probabilities."""
    rng, verdicts = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    truth = [_verdict(one, pair, verdicts) for pair in one.pairs]
    asked = np.random.default_rng([seed, 0]).choice(len(one.pairs), START, replace=False).tolist()
    curve, errors = [], []
    while True:
        p = np.array([truth[n] for n in asked])
        weights = fit(one.z[asked], p, np.ones(len(p)))
        curve.append(float(np.mean((one.test @ weights > 0) == (one.gold > 0))))
        if len(asked) >= MOST:
            return curve, errors
        left = np.setdiff1d(np.arange(len(one.pairs)), asked)
        order = np.arange(len(left)) if name == "random" else worth(name, one, left, asked, p, weights, rng)
        found = acquisition.pick(order, BATCH, 1.0 if name == "random" else SHARE, rng)
        right = np.array([_right(one.z[n] @ weights, truth[n]) for n in left])
        errors.append(_errors(right, found))
        asked += left[found.chosen].tolist()


def _verdict(one: Setting, pair: tuple[int, int, int], rng: np.random.Generator) -> float:
    """P(the first of the pair is preferred), by one rater and in an order drawn by lot."""
    question, a, b = pair
    shown = (a, b) if rng.random() < 0.5 else (b, a)
    said = judge(RATERS[rng.integers(len(RATERS))], question, one.world.questions[question].answers, shown, rng)
    return said.p if shown == (a, b) else 1 - said.p


def _right(margin: float, p: float) -> float:
    return 0.5 if p == 0.5 else float((margin > 0) == (p > 0.5))


def _errors(right: np.ndarray, found: acquisition.Picked) -> tuple[float, float]:
    weights, picked = 1 / found.probability, right[found.chosen]
    return picked.mean() - right.mean(), weights @ picked / weights.sum() - right.mean()


# ---- Labels saved


def rising(curve: np.ndarray) -> np.ndarray:
    """The nearest curve that never falls (pool adjacent violators)."""
    blocks: list[list[float]] = []
    for value in curve:
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, m), (a, n) = blocks.pop(), blocks.pop()
            blocks.append([(a * n + b * m) / (n + m), n + m])
    return np.concatenate([np.full(int(n), value) for value, n in blocks])


def labels_for(accuracy: float, curve: np.ndarray) -> float:
    """Labels after which the rising curve reaches the accuracy; the most that were given where it does not."""
    labels = START + BATCH * np.arange(len(curve))
    at = int(np.searchsorted(curve, accuracy))
    if at == 0 or at == len(curve):
        return float(labels[min(at, len(curve) - 1)])
    return float(labels[at - 1] + BATCH * (accuracy - curve[at - 1]) / (curve[at] - curve[at - 1]))


def saved(own: np.ndarray, chance: np.ndarray) -> tuple[float, float, float, float]:
    """Labels of each, the accuracy they are for, and the share of random order's labels that is saved; from curves
    (seeds, batches)."""
    by_chance = rising(chance.mean(0))
    accuracy = float(np.interp(AT, START + BATCH * np.arange(len(by_chance)), by_chance))
    ours, peer = (labels_for(accuracy, curve) for curve in (rising(own.mean(0)), by_chance))
    return ours, peer, accuracy, 1 - ours / peer


def main() -> None:
    one = setting()
    runs = {name: [run(name, one, seed) for seed in range(SEEDS)] for name in ("random", *STRATEGIES)}
    curves = {name: np.array([curve for curve, _ in found]) for name, found in runs.items()}
    rng = np.random.default_rng(0)
    for name in STRATEGIES:
        errors = np.array([error for _, found in runs[name] for error in found])
        raw, corrected = errors.mean(0)
        spread = errors[:, 1].reshape(SEEDS, -1).mean(1).std() / np.sqrt(SEEDS)
        assert abs(corrected) < max(0.01, 4 * spread), f"{name}: the correction is off by {corrected:.3f}"
        told = {"ours": round(100 * corrected, 2), "peer": round(100 * raw, 2), "unit": "points off, corrected and raw"}
        line(f"accuracy on what {name} picked", told | {"target": None, "holds": None})
        ours, peer, accuracy, share = saved(curves[name], curves["random"])
        seeds = [rng.integers(0, SEEDS, SEEDS) for _ in range(1000)]
        low, high = np.quantile([saved(curves[name][s], curves["random"][s])[3] for s in seeds], [0.025, 0.975])
        unit = f"labels to {accuracy:.1%}; saved {share:.0%} ({low:.0%} to {high:.0%}), {SEEDS} seeds"
        told = {"ours": round(ours), "peer": round(peer), "unit": unit, "ratio": round(peer / ours, 2)}
        line(f"{name} against random order", told | {"target": "interval above 0", "holds": bool(low > 0)})


def line(name: str, told: dict) -> None:
    print(json.dumps({"name": f"selection: {name}", "ratio": None} | told | {"machine": machine()}), flush=True)


if __name__ == "__main__":
    main()
