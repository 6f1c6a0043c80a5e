"""Products by oneDNN are those of torch, forwards and backwards."""

import pytest
import torch
from torch import nn

from worker.rm.products import Linear, speed_up


@pytest.fixture
def layers():
    torch.manual_seed(0)
    plain = nn.Linear(40, 24)
    fast = nn.Linear(40, 24)
    fast.load_state_dict(plain.state_dict())
    speed_up(fast)
    return plain, fast


def test_values_and_gradients_are_the_same(layers):
    found = []
    x = torch.randn(3, 7, 40)
    for layer in layers:
        own = x.clone().requires_grad_()
        (layer(own) ** 2).sum().backward()
        found.append((layer(own).detach(), own.grad, layer.weight.grad, layer.bias.grad))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_without_bias_and_without_rows():
    layer = nn.Linear(8, 4, bias=False)
    speed_up(layer)
    assert layer(torch.zeros(0, 8)).shape == (0, 4)
    x = torch.randn(5, 8)
    torch.testing.assert_close(layer(x), x @ layer.weight.T)


def test_frozen_weights_get_no_gradient(layers):
    _, fast = layers
    fast.requires_grad_(False)
    x = torch.randn(2, 40, requires_grad=True)
    fast(x).sum().backward()
    assert fast.weight.grad is None
    assert x.grad is not None


def test_autocast_and_other_types_take_the_usual_way(layers):
    _, fast = layers
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert fast(torch.randn(2, 40)).dtype == torch.bfloat16
    assert fast.double()(torch.randn(2, 40, dtype=torch.double)).dtype == torch.double


def test_only_plain_layers_change():
    class Own(nn.Linear):
        pass

    model = nn.Sequential(nn.Linear(2, 2), Own(2, 2))
    speed_up(model)
    assert [type(layer) for layer in model] == [Linear, Own]
