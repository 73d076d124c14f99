"""A convolution is a dense layer with a Toeplitz matrix; it moves with its input, and pooled it stays."""

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
