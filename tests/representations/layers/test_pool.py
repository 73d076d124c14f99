"""Pooling, by hand: what lies past the length and what pads a border is never counted."""

import itertools

import pytest
import torch

from vicinal.representations.layers.geometry import Taps
from vicinal.representations.layers.pool import AttentionPool, Flatten, GlobalPool, WindowPool

# The last row lies below the zeros behind its end: were they seen, its maxima would be 0.
ROWS = [[-1.0, -3.0, -5.0, -2.0], [4.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [-7.0, -6.0, 0.0, 0.0]]
X = torch.tensor(ROWS).reshape(4, 1, 1, 4)
LENGTHS = torch.tensor([4, 2, 0, 2])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("mean", [[-2.75], [3.0], [0.0], [-6.5]]),
        ("max", [[-1.0], [4.0], [0.0], [-6.0]]),
        ("mean-max", [[-2.75, -1.0], [3.0, 4.0], [0.0, 0.0], [-6.5, -6.0]]),
        ("last", [[-2.0], [2.0], [0.0], [-6.0]]),
    ],
)
def test_global(how: str, expected: list[list[float]]) -> None:
    layer = GlobalPool((1, 4), how=how)  # type: ignore[arg-type]
    assert layer(X, LENGTHS)[0].tolist() == expected
    assert layer(X[:1])[0].tolist() == expected[:1]
    assert layer(X, LENGTHS)[1] is None


@pytest.mark.parametrize(
    ("how", "padding", "expected", "lengths"),
    [
        ("mean", "valid", [[-2.0, -4.0, -3.5], [3.0, 0.0, 0.0], [0.0] * 3, [-6.5, 0.0, 0.0]], [3, 1, 0, 1]),
        ("max", "valid", [[-1.0, -3.0, -2.0], [4.0, 0.0, 0.0], [0.0] * 3, [-6.0, 0.0, 0.0]], [3, 1, 0, 1]),
        (
            "mean",
            "same",
            [[-2.0, -4.0, -3.5, -2.0], [3.0, 2.0, 0.0, 0.0], [0.0] * 4, [-6.5, -6.0, 0.0, 0.0]],
            [4, 2, 0, 2],
        ),
        (
            "max",
            "same",
            [[-1.0, -3.0, -2.0, -2.0], [4.0, 2.0, 0.0, 0.0], [0.0] * 4, [-6.0, -6.0, 0.0, 0.0]],
            [4, 2, 0, 2],
        ),
        (
            "mean",
            "causal",
            [[-1.0, -2.0, -4.0, -3.5], [4.0, 3.0, 0.0, 0.0], [0.0] * 4, [-7.0, -6.5, 0.0, 0.0]],
            [4, 2, 0, 2],
        ),
        (
            "max",
            "causal",
            [[-1.0, -1.0, -3.0, -2.0], [4.0, 4.0, 0.0, 0.0], [0.0] * 4, [-7.0, -6.0, 0.0, 0.0]],
            [4, 2, 0, 2],
        ),
    ],
)
def test_windows_of_two(how: str, padding: str, expected: list[list[float]], lengths: list[int]) -> None:
    taps = Taps.padded(2, stride=1, dilation=1, padding=padding)  # type: ignore[arg-type]
    layer = WindowPool((1, 4), how=how, taps=(taps,))  # type: ignore[arg-type]
    y, new_lengths = layer(X, LENGTHS)
    assert y.flatten(1).tolist() == expected
    assert new_lengths.tolist() == lengths
    assert layer(X[:1])[0].flatten(1).tolist() == expected[:1]


@pytest.mark.parametrize("how", ["mean", "max"])
@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_windows_of_an_image_are_a_plain_loop(how: str, padding: str) -> None:
    taps = tuple(
        Taps.padded(window, stride=stride, dilation=1, padding=padding)  # type: ignore[arg-type]
        for window, stride in ((3, 2), (2, 1))
    )
    layer = WindowPool((2, 6, 7), how=how, taps=taps)  # type: ignore[arg-type]
    x = torch.randn(2, 2, 6, 7) - 3  # below the zeros that pad a border
    _, rows, columns = layer.facts.shape
    expected = torch.empty(2, 2, rows, columns)
    for row, column in itertools.product(range(rows), range(columns)):
        top, left = 2 * row - taps[0].left, column - taps[1].left
        seen = x[..., max(top, 0) : top + 3, max(left, 0) : left + 2].flatten(2)
        expected[..., row, column] = seen.mean(2) if how == "mean" else seen.amax(2)
    torch.testing.assert_close(layer(x)[0], expected)


def test_attention_pool_is_a_softmax_over_real_positions() -> None:
    layer = AttentionPool((2, 5))
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(1, 2, 1, 5)
    shares = torch.softmax(layer.weight @ x[0, :, 0, :3], dim=0)
    torch.testing.assert_close(layer(x, torch.tensor([3]))[0][0], x[0, :, 0, :3] @ shares)


def test_flatten_is_channel_after_channel() -> None:
    x = torch.arange(12.0).reshape(1, 3, 1, 4)
    channels_last = x.contiguous(memory_format=torch.channels_last)
    assert Flatten((3, 4))(channels_last)[0].tolist() == [list(range(12))]
