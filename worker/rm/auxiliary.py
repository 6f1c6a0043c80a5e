"""Losses of the heads beside the preference: pure functions, sums over what people said, 0 where they said nothing.

    attributes   masked regression of ratings            quantiles   pinball loss of ratings
    segments     balanced cross-entropy of flaws         steps       cross-entropy of steps: wrong, neutral, right
    odin         what keeps length out of the quality head

Divide by `said` of the labels for a mean. No label is NaN (of ratings and steps) or −1 (of segments).
"""

import torch
from torch import Tensor

from .objectives import cross_entropy

QUEUE = 256  # earlier responses that a correlation with length is taken over
_LEAST_SPREAD = 1e-2  # of scores: below it a correlation is that of rounding


def said(labels: Tensor) -> Tensor:
    """() How many labels there are."""
    return ((labels >= 0) if labels.dtype in (torch.int8, torch.long) else ~labels.isnan()).sum()


def attributes(predicted: Tensor, rating: Tensor) -> Tensor:
    """() Σ mask (ŷ − y)² over (n, criteria); NaN where nobody rated. HelpSteer, arXiv 2311.09528."""
    error = (predicted - rating.nan_to_num()).masked_fill(rating.isnan(), 0.0)
    return error.square().sum()


def balance(labels: Tensor) -> Tensor:
    """(n, categories) weights of labels in {1, 0, −1 = ignore}: 2·n₀/n for each 1, 2·n₁/n for each 0, 0 for −1.

    Both classes count alike, and a category counts as often as its rarer class allows: 4·n₀·n₁/n in all. Take them over
    all training labels, not over a batch.
    """
    ones, zeros = (labels == 1).sum(0), (labels == 0).sum(0)
    return torch.where(labels == 1, 2 * zeros, 2 * ones) / (ones + zeros).clamp(min=1) * (labels >= 0)


def segments(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """() Σ weight · cross-entropy of flaws, (n, categories) all three. After Fine-Grained RLHF, arXiv 2306.01693."""
    return (weights * cross_entropy(logits, labels.clamp(min=0).to(logits.dtype))).sum()


def steps(logits: Tensor, label: Tensor) -> Tensor:
    """() Σ −ln softmax over (n, 3) logits of −1, 0 and 1; `label` (n,) is a mean over raters, NaN where none.

    A label between two classes is shared out between them, −¼ being ¼ wrong and ¾ neutral. PRM800K, arXiv 2305.20050.
    """
    classes = torch.tensor([-1.0, 0.0, 1.0], dtype=logits.dtype, device=logits.device)
    share = (1 - (label.nan_to_num()[:, None] - classes).abs()).clamp(min=0) * ~label.isnan()[:, None]
    return -(share.to(logits.dtype) * logits.log_softmax(1)).sum()


def quantiles(predicted: Tensor, rating: Tensor, levels: Tensor) -> Tensor:
    """() Σ pinball loss (q − 1[u < 0])·u, u = y − ŷ, of (n, quantiles) predictions of one rating (n,); NaN where none.

    Least where a share q of the ratings lies below the prediction. Koenker & Bassett 1978.
    """
    over = (rating.nan_to_num()[:, None] - predicted).masked_fill(rating.isnan()[:, None], 0.0)
    return torch.maximum(levels * over, (levels - 1) * over).sum()


def correlation(scores: Tensor, lengths: Tensor) -> Tensor:
    """() Pearson's, with a gradient also where the scores are all alike; 0 when the lengths are."""
    a, b = scores - scores.mean(), lengths - lengths.mean()
    spread = a.square().mean().clamp(min=_LEAST_SPREAD**2).sqrt() * b.square().mean().clamp(min=1e-12).sqrt()
    return (a * b).mean() / spread


def odin(quality: Tensor, length: Tensor, tokens: Tensor, rows: Tensor, queue: Tensor) -> tuple[Tensor, Tensor]:
    """() |ρ(r^Q, len)| − ρ(r^L, len) + |W_Q·W_L| / (‖W_Q‖ ‖W_L‖), and the queue for the next call. arXiv 2402.07319.

    quality, length, tokens (n,): scores of the two heads and lengths; `rows` (2, d) their weights. The correlations are
    over the batch and `queue` (m, 3), the last QUEUE triples, detached; it starts as torch.zeros(0, 3). Without it a
    batch of 16 has |ρ| near .21 by chance alone.
    """
    now = torch.stack([quality, length, tokens.to(quality)], 1)
    seen = torch.cat([queue.to(now), now])
    with_length = torch.stack([correlation(seen[:, n], seen[:, 2]) for n in (0, 1)])
    unit = torch.nn.functional.normalize(rows, dim=1, eps=1e-6)
    return with_length[0].abs() - with_length[1] + (unit[0] @ unit[1]).abs(), seen[-QUEUE:].detach()
