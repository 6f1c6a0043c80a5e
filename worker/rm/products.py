"""Matrix products by oneDNN on a CPU in float32: torch takes MKL for them, at half that speed on some processors.

Torch carries both. In bfloat16, under autocast, compiled and on a GPU it chooses by itself: there nothing changes.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

_DNN = torch.ops.mkldnn._linear_pointwise if torch.backends.mkldnn.is_available() else None


def speed_up(model: nn.Module) -> None:
    """Let every linear layer of the model use it; weights, names and what they compute stay as they are."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = Linear


class Linear(nn.Linear):
    """x @ weight.T + bias, x (…, in) → (…, out)."""

    def forward(self, x: Tensor) -> Tensor:
        plain = x.dtype == self.weight.dtype == torch.float32 and x.device.type == "cpu"
        if not _DNN or not plain or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling():
            return linear(x, self.weight, self.bias)
        return _Product.apply(x, self.weight, self.bias)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        rows = grad.flatten(0, -2)
        return (
            _product(grad, weight.t()) if ctx.needs_input_grad[0] else None,
            _product(rows.t(), x.flatten(0, -2).t()) if ctx.needs_input_grad[1] else None,
            rows.sum(0) if ctx.needs_input_grad[2] else None,
        )


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return _DNN(x, weight, bias, "none", [], "")
