"""Local windows are a dense layer with a band matrix; with tied weights they are a convolution."""

import itertools

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings

from vicinal.representations.layers import local
from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.geometry import Taps
from vicinal.representations.layers.local import Local

SIZES = {
    "window": st.integers(1, 6),
    "stride": st.integers(1, 4),
    "dilation": st.integers(1, 3),
    "padding": st.sampled_from(["valid", "same", "causal"]),
}


@settings(max_examples=20, deadline=None)
@given(**SIZES)
def test_equals_a_dense_layer_with_a_band_matrix(
    window: int, stride: int, dilation: int, padding: str
) -> None:
    n = 19
    taps = Taps.padded(window, stride=stride, dilation=dilation, padding=padding)  # type: ignore[arg-type]
    layer = Local((3, n), units=2, taps=(taps,), bias=True).double()
    layer.initialise(torch.Generator().manual_seed(window))
    torch.nn.init.normal_(layer.bias)
    count = taps.count(n)
    assert layer.weight.shape == (count, 2, 3, window)
    matrix = torch.zeros(2, count, 3, n, dtype=torch.float64)
    for position in range(count):
        for k in range(window):
            source = position * stride - taps.left + k * dilation
            if 0 <= source < n:
                matrix[:, position, :, source] = layer.weight[position, :, :, k]
    x = torch.randn(4, 3, n, dtype=torch.float64)
    expected = F.linear(x.flatten(1), matrix.reshape(2 * count, 3 * n), layer.bias.T.flatten())
    torch.testing.assert_close(layer(x.unsqueeze(2))[0].flatten(1), expected)


@settings(max_examples=20, deadline=None)
@given(**SIZES)
def test_with_tied_weights_it_is_a_convolution(window: int, stride: int, dilation: int, padding: str) -> None:
    taps = Taps.padded(window, stride=stride, dilation=dilation, padding=padding)  # type: ignore[arg-type]
    layer, conv = (kind((3, 19), units=2, taps=(taps,), bias=True).double() for kind in (Local, Conv))
    conv.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        layer.weight.copy_(conv.weight.expand_as(layer.weight))
        layer.bias.copy_(conv.bias.expand_as(layer.bias))
    x = torch.randn(2, 3, 1, 19, dtype=torch.float64)
    lengths = torch.tensor([19, 11])
    for given_lengths in (None, lengths):
        expected, expected_lengths = conv(x, given_lengths)
        found, found_lengths = layer(x, given_lengths)
        torch.testing.assert_close(found, expected)
        assert found_lengths is expected_lengths or torch.equal(found_lengths, expected_lengths)


def test_an_image_has_a_window_for_each_place() -> None:
    height, width = (
        Taps.padded(3, stride=2, dilation=1, padding="same"),
        Taps.padded(2, stride=1, dilation=3, padding="same"),
    )
    layer = Local((2, 6, 7), units=3, taps=(height, width), bias=True).double()
    conv = Conv((2, 6, 7), units=3, taps=(height, width), bias=True).double()
    layer.initialise(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(layer.bias)
    _, rows, columns = layer.facts.shape
    matrix = torch.zeros(3, rows, columns, 2, 6, 7, dtype=torch.float64)
    for row, column, i, j in itertools.product(range(rows), range(columns), range(3), range(2)):
        y, x = row * 2 - height.left + i, column - width.left + 3 * j
        if 0 <= y < 6 and 0 <= x < 7:
            matrix[:, row, column, :, y, x] = layer.weight[row * columns + column, :, :, i, j]
    x = torch.randn(4, 2, 6, 7, dtype=torch.float64)
    expected = F.linear(x.flatten(1), matrix.reshape(3 * rows * columns, -1), layer.bias.T.flatten())
    torch.testing.assert_close(layer(x)[0].flatten(1), expected)
    with torch.no_grad():
        layer.weight.copy_(conv.weight.normal_().expand_as(layer.weight))
        layer.bias.copy_(conv.bias.normal_().expand_as(layer.bias))
    torch.testing.assert_close(layer(x)[0], conv(x)[0])


@pytest.mark.parametrize("block", [1, 100, local.GATHERED_VALUES])
@pytest.mark.parametrize(
    "taps",
    [
        (Taps(3, stride=2, left=1, right=1),),
        (Taps(5, stride=2),),
        (Taps(2, stride=3, dilation=3),),
        (Taps(2, left=1), Taps(3, stride=2, right=2)),
        (Taps(2, stride=2, dilation=2), Taps(2, dilation=2)),
    ],
)
def test_gradients(taps: tuple[Taps, ...], block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "GATHERED_VALUES", block)
    shape = (2, 9) if len(taps) == 1 else (2, 4, 5)
    layer = Local(shape, units=2, taps=taps, bias=True).double()
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(2, 2, shape[1] if len(taps) == 2 else 1, shape[-1], dtype=torch.float64)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda *values: layer(values[0])[0], (x, layer.weight, layer.bias))
    (alone,) = torch.autograd.grad(layer(x.detach())[0].square().sum(), layer.weight)
    (both, _) = torch.autograd.grad(layer(x)[0].square().sum(), (layer.weight, x))
    torch.testing.assert_close(alone, both)


@pytest.mark.parametrize("block", [1, 2000, local.GATHERED_VALUES])
def test_some_positions_at_a_time_give_the_same(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for shape, taps in (((4, 61), (Taps(5, stride=3),)), ((3, 9, 11), (Taps(3, stride=2), Taps(2)))):
        layer = Local(shape, units=3, taps=taps, bias=True)
        layer.initialise(torch.Generator().manual_seed(0))
        x = torch.randn(5, shape[0], 1 if len(shape) == 2 else shape[1], shape[-1])
        expected = layer(x)[0]
        monkeypatch.setattr(local, "GATHERED_VALUES", block)
        torch.testing.assert_close(layer(x)[0], expected)
        monkeypatch.undo()


def test_weights_keep_their_public_shape_whatever_the_order_of_their_memory() -> None:
    layer = Local((4, 30), units=3, taps=(Taps(5),), bias=True)
    layer.initialise(torch.Generator().manual_seed(0))
    assert layer.weight.shape == (26, 3, 4, 5)
    assert layer.weight.movedim(2, -1).is_contiguous()
    numbers = torch.empty(26, 3, 4, 5).normal_(generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer.weight, numbers * (2 / 20) ** 0.5)
    x = torch.randn(2, 4, 1, 30)
    expected = layer(x)[0]
    layer.load_state_dict(
        {name: value.contiguous() for name, value in layer.state_dict().items()}, assign=True
    )
    assert layer.weight.is_contiguous()
    assert torch.equal(layer(x)[0], expected)
    layer.lay_out()
    assert layer.weight.movedim(2, -1).is_contiguous()
    assert torch.equal(layer(x)[0], expected)


def test_products_in_bfloat16_stay_near() -> None:
    layer = Local((8, 100), units=6, taps=(Taps(9, stride=4),), bias=True)
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(7, 8, 1, 100, requires_grad=True)
    expected = layer(x)[0]
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(x)[0]
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.05)
    exact = torch.autograd.grad(expected.square().sum(), (x, layer.weight, layer.bias))
    rough = torch.autograd.grad(found.float().square().sum(), (x, layer.weight, layer.bias))
    for one, other in zip(rough, exact, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.02 * other.norm()
