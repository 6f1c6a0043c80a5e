"""What heads are made of: frozen values with tensors, each a function of a batch. All float32."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Linear:
    """(x − center) @ weights.T + bias, for H outputs of d inputs."""

    weights: Tensor  # (H, d)
    center: Tensor  # (d,)
    bias: Tensor  # (H,)

    def __call__(self, x: Tensor) -> Tensor:
        return (x - self.center) @ self.weights.T + self.bias


@dataclass(frozen=True)
class Mlp:
    """out · tanh(into (x − center) + bias), for K members with h hidden units each."""

    into: Tensor  # (K, h, d)
    bias: Tensor  # (K, h)
    out: Tensor  # (K, h)
    center: Tensor  # (d,)

    def __call__(self, x: Tensor) -> Tensor:
        """(n, K)"""
        hidden = torch.tanh(torch.einsum("nd,khd->nkh", x - self.center, self.into) + self.bias)
        return (hidden * self.out).sum(2)


@dataclass(frozen=True)
class Curve:
    """Linear between knots and flat beyond them."""

    knots: Tensor  # (m,) rising
    values: Tensor  # (m,)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.from_numpy(np.interp(x.numpy(), self.knots.numpy(), self.values.numpy())).float()


@dataclass(frozen=True)
class Gate:
    """A mixture of criteria whose weights depend on the prompt. ArmoRM, arXiv 2406.12845.

        R = strength · g(prompt)ᵀ r',  g = softmax(out · tanh(into p + bias)),  r' = matrix (r − mean)

    p is the prompt's embedding, centred and scaled; `matrix` standardises the A criteria and takes verbosity out, which
    leaves A' of them to be mixed.
    """

    into: Tensor  # (h, D)
    bias: Tensor  # (h,)
    out: Tensor  # (A', h)
    center: Tensor  # (D,)
    scale: Tensor  # (D,)
    matrix: Tensor  # (A', A)
    mean: Tensor  # (A,)
    strength: Tensor  # (1,)

    def weights(self, prompts: Tensor) -> Tensor:
        """(n, A') g of the prompts' embeddings (n, D): shares that sum to 1."""
        hidden = torch.tanh((prompts - self.center) * self.scale @ self.into.T + self.bias)
        return (hidden @ self.out.T).softmax(1)

    def contributions(self, prompts: Tensor, criteria: Tensor) -> Tensor:
        """(n, A) what each criterion as predicted (n, A) adds to R: they sum to it exactly."""
        return self.strength * (self.weights(prompts) @ self.matrix) * (criteria - self.mean)

    def __call__(self, prompts: Tensor, criteria: Tensor) -> Tensor:
        """(n,) R"""
        return self.contributions(prompts, criteria).sum(1)
