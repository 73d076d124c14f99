"""A convolution is a dense layer with a Toeplitz matrix; it moves with its input, and pooled it stays."""

import itertools

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings

from vicinal.representations.layers.conv import Conv, convolve
from vicinal.representations.layers.geometry import Taps
from vicinal.representations.network import build


def matrix_of(weight: torch.Tensor, taps: Taps, n: int) -> torch.Tensor:
    """The (out * new positions, in * n) matrix of a convolution, written tap by tap."""
    n_out, n_in, window = weight.shape
    count = taps.count(n)
    matrix = torch.zeros(n_out, count, n_in, n, dtype=weight.dtype)
    for position in range(count):
        for k in range(window):
            source = position * taps.stride - taps.left + k * taps.dilation
            if 0 <= source < n:
                matrix[:, position, :, source] = weight[:, :, k]
    return matrix.reshape(n_out * count, n_in * n)


@settings(max_examples=30, deadline=None)
@given(
    window=st.integers(1, 6),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same", "causal"]),
    n=st.integers(16, 23),
)
def test_equals_a_dense_layer_with_a_toeplitz_matrix(
    window: int, stride: int, dilation: int, padding: str, n: int
) -> None:
    taps = Taps.padded(window, stride=stride, dilation=dilation, padding=padding)  # type: ignore[arg-type]
    layer = Conv((3, n), units=2, taps=(taps,), bias=True).double()
    layer.initialise(torch.Generator().manual_seed(window))
    x = torch.randn(2, 3, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    y, _ = layer(x.unsqueeze(2))
    expected = F.linear(x.flatten(1), matrix_of(layer.weight, taps, n)).unflatten(1, (2, -1))
    torch.testing.assert_close(y.squeeze(2), expected)
    assert y.shape == (2, 2, 1, layer.facts.shape[1])
    if padding != "valid":
        assert layer.facts.shape[1] == -(-n // stride)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_an_images_matrix_is_made_of_toeplitz_blocks(padding: str) -> None:
    height, width = (
        Taps.padded(3, stride=2, dilation=1, padding=padding),  # type: ignore[arg-type]
        Taps.padded(2, stride=1, dilation=3, padding=padding),  # type: ignore[arg-type]
    )
    layer = Conv((2, 6, 7), units=3, taps=(height, width), bias=False).double()
    layer.initialise(torch.Generator().manual_seed(0))
    _, rows, columns = layer.facts.shape
    matrix = torch.zeros(3, rows, columns, 2, 6, 7, dtype=torch.float64)
    for row, column, i, j in itertools.product(range(rows), range(columns), range(3), range(2)):
        y, x = row * 2 - height.left + i, column - width.left + 3 * j
        if 0 <= y < 6 and 0 <= x < 7:
            matrix[:, row, column, :, y, x] = layer.weight[:, :, i, j]
    x = torch.randn(4, 2, 6, 7, dtype=torch.float64)
    expected = F.linear(x.flatten(1), matrix.reshape(3 * rows * columns, -1))
    torch.testing.assert_close(layer(x)[0].flatten(1), expected)


def test_groups_of_channels_do_not_see_each_other() -> None:
    taps = (Taps.padded(3, stride=1, dilation=1, padding="same"),)
    layer = Conv((4, 9), units=6, taps=taps, bias=False, groups=2).double()
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(2, 4, 1, 9, dtype=torch.float64)
    halves = [
        F.conv1d(x[:, 2 * k : 2 * k + 2, 0], layer.weight[3 * k : 3 * k + 3], padding=1) for k in (0, 1)
    ]
    torch.testing.assert_close(layer(x)[0].squeeze(2), torch.cat(halves, dim=1))


@pytest.mark.parametrize("by", [(1, 0), (0, -2), (2, 1)])
def test_an_image_moves_in_both_directions(by: tuple[int, int]) -> None:
    text = "conv 4 window 3 | relu | conv 4 window 3 | relu | mean | dense 1"
    network = build(text, input_shape=(1, 20, 20), n_outputs=1, seed=3).eval()
    x = torch.zeros(1, 1, 20, 20)
    x[..., 8:12, 8:12] = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    still, moved = network.stages(x), network.stages(x.roll(by, (2, 3)))
    torch.testing.assert_close(still[3][1].roll(by, (2, 3)), moved[3][1])
    assert not torch.allclose(still[3][1], moved[3][1])
    torch.testing.assert_close(still[-1][1], moved[-1][1])


def test_hand_worked() -> None:
    x = torch.tensor([[[[1.0, 2.0, 4.0, 8.0]]]])
    weight = torch.tensor([[[1.0, 10.0]]])
    valid, same, causal = (
        convolve(x, weight, None, (Taps.padded(2, stride=1, dilation=1, padding=padding),)).flatten().tolist()
        for padding in ("valid", "same", "causal")
    )
    assert valid == [21.0, 42.0, 84.0]
    assert same == [21.0, 42.0, 84.0, 8.0]  # (window - 1) // 2 = 0 on the left, the rest on the right
    assert causal == [10.0, 21.0, 42.0, 84.0]


def shifted(text: str, by: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What a network's last stage but one gives for a bump in the middle, and for the bump moved."""
    network = build(text, input_shape=(1, 100), n_outputs=1, seed=3).eval()
    x = torch.zeros(1, 1, 100)
    x[..., 40:50] = torch.randn(10, generator=torch.Generator().manual_seed(0))
    return network.stages(x)[-2][1], network.stages(x.roll(by, -1))[-2][1]


@pytest.mark.parametrize("by", [1, 7, -10])
def test_moves_with_its_input(by: int) -> None:
    still, moved = shifted("conv 8 window 20 | relu | conv 8 window 5 | relu | conv 1 window 77", by)
    torch.testing.assert_close(still.roll(by, -1), moved)
    assert not torch.allclose(still, moved)


@pytest.mark.parametrize(("pool", "invariant"), [("mean", True), ("max", True), ("flatten", False)])
def test_pooled_it_no_longer_cares_where(pool: str, *, invariant: bool) -> None:
    still, moved = shifted(f"conv 8 window 20 | relu | conv 8 window 5 | relu | {pool} | dense 1", 7)
    assert torch.allclose(still, moved, atol=1e-6) is invariant


def test_local_windows_care_where() -> None:
    still, moved = shifted("local 8 window 20 | relu | mean | dense 1", 7)
    assert not torch.allclose(still, moved, atol=1e-3)
