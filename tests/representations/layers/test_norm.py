"""Norms: torch's own where nothing is padded, and the statistics of the real positions where something is."""

import pytest
import torch

from vicinal.errors import NetworkError
from vicinal.representations.layers.norm import BatchNorm, GroupNorm, LayerNorm


def batch_norm(n_channels: int) -> BatchNorm:
    layer = BatchNorm((n_channels, 7))
    layer.initialise(torch.Generator())
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    return layer


def test_is_torchs_without_lengths() -> None:
    layer, reference = batch_norm(3), torch.nn.BatchNorm2d(3)
    reference.load_state_dict({**reference.state_dict(), **layer.state_dict()})
    x = torch.randn(4, 3, 1, 7)
    torch.testing.assert_close(layer(x)[0], reference(x))
    torch.testing.assert_close(layer.running_mean, reference.running_mean)
    torch.testing.assert_close(layer.running_var, reference.running_var)
    torch.testing.assert_close(layer.eval()(x)[0], reference.eval()(x))


def test_statistics_are_those_of_the_real_positions() -> None:
    layer, reference = batch_norm(3), torch.nn.BatchNorm1d(3)
    reference.load_state_dict({**reference.state_dict(), **layer.state_dict()})
    lengths = torch.tensor([7, 2, 0, 5])
    real = torch.arange(7) < lengths[:, None]
    x = (5 + torch.randn(4, 3, 7)) * real[:, None]
    expected = torch.zeros(4, 7, 3)
    expected[real] = reference(x.movedim(1, 2)[real])  # all real positions as rows of features
    found, _ = layer(x.unsqueeze(2), lengths)
    torch.testing.assert_close(found.squeeze(2), expected.movedim(2, 1))
    torch.testing.assert_close(layer.running_mean, reference.running_mean)
    torch.testing.assert_close(layer.running_var, reference.running_var)


def test_gradients_with_lengths() -> None:
    layer = batch_norm(2)
    lengths = torch.tensor([7, 3])
    real = (torch.arange(7) < lengths[:, None])[:, None, None]
    x = (torch.randn(2, 2, 1, 7) * real).requires_grad_()
    rows = x.detach().squeeze(2).movedim(1, 2)[real.squeeze((1, 2))].requires_grad_()
    reference = torch.nn.BatchNorm1d(2)
    reference.load_state_dict({**reference.state_dict(), **layer.state_dict()})
    weights = torch.randn(10, 2)
    (reference(rows) * weights).sum().backward()
    (layer(x, lengths)[0].squeeze(2).movedim(1, 2)[real.squeeze((1, 2))] * weights).sum().backward()
    torch.testing.assert_close(x.grad.squeeze(2).movedim(1, 2)[real.squeeze((1, 2))], rows.grad)
    torch.testing.assert_close(layer.weight.grad, reference.weight.grad)
    torch.testing.assert_close(layer.bias.grad, reference.bias.grad)


def test_one_value_per_channel_has_no_variance() -> None:
    with pytest.raises(NetworkError, match="or with larger batches"):
        batch_norm(3)(torch.randn(1, 3))
    batch_norm(3).eval()(torch.randn(1, 3))


def test_layer_norm_is_over_the_channels_of_a_position() -> None:
    layer = LayerNorm((4, 5))
    layer.initialise(torch.Generator())
    x = 3 * torch.randn(2, 4, 1, 5) + 1
    y, _ = layer(x, torch.tensor([5, 2]))
    torch.testing.assert_close(y[0].mean(0), torch.zeros(1, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(y[0].var(0, unbiased=False), torch.ones(1, 5), atol=1e-3, rtol=0)
    assert not y[1, ..., 2:].any()
    assert layer(torch.randn(3, 4))[0].shape == (3, 4)


def test_group_norm_is_torchs_without_lengths_and_on_the_real_part() -> None:
    layer = GroupNorm((6, 9), groups=3)
    layer.initialise(torch.Generator())
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x = 3 * torch.randn(2, 6, 1, 9) + 1
    expected = torch.nn.functional.group_norm(x, 3, layer.weight, layer.bias)
    torch.testing.assert_close(layer(x)[0], expected)
    x[1, ..., 5:] = 0
    found, _ = layer(x, torch.tensor([9, 5]))
    short = torch.nn.functional.group_norm(x[1:, ..., :5], 3, layer.weight, layer.bias)
    torch.testing.assert_close(found[0], expected[0])
    torch.testing.assert_close(found[1:, ..., :5], short)
    assert not found[1, ..., 5:].any()
