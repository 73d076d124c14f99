"""Separable windows are grouped ones and then points."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from vicinal.representations.layers.separable import Separable


@pytest.mark.parametrize(("window", "stride", "dilation"), [(5, 1, 1), (4, 2, 1), (3, 1, 3)])
def test_is_grouped_and_then_pointwise(window: int, stride: int, dilation: int) -> None:
    layer = Separable(
        (3, 20), units=4, window=(window,), stride=(stride,), dilation=(dilation,), padding="same"
    )
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, 20)
    total = (window - 1) * dilation
    padded = F.pad(x, (total // 2, total - total // 2))
    grouped = F.conv1d(padded, layer.depthwise.weight, stride=stride, dilation=dilation, groups=3)
    expected = F.conv1d(grouped, layer.pointwise.weight)
    torch.testing.assert_close(layer(x.unsqueeze(2))[0].squeeze(2), expected)
    assert layer.facts.multiply_adds == expected.shape[-1] * (3 * window + 3 * 4)


def test_parameters_are_those_of_both_parts() -> None:
    layer = Separable((3, 20), units=4, window=(5,), stride=(1,), dilation=(1,), padding="same")
    assert sum(parameter.numel() for parameter in layer.parameters()) == 3 * 5 + 3 * 4


@pytest.mark.parametrize("padding", ["same", "causal"])
def test_an_image_too_is_a_plain_loop(padding: str) -> None:
    layer = Separable(
        (3, 5, 6), units=4, window=(3, 2), stride=(2, 1), dilation=(1, 2), padding=padding,  # type: ignore[arg-type]
    ).double()  # fmt: skip
    layer.initialise(torch.Generator().manual_seed(0))
    depthwise, pointwise = layer.depthwise.weight, layer.pointwise.weight[:, :, 0, 0]
    top, left = (2, 2) if padding == "causal" else (1, 1)
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64)
    expected = torch.zeros(2, 4, 3, 6, dtype=torch.float64)
    for row, column in itertools.product(range(3), range(6)):
        seen = torch.zeros(2, 3, dtype=torch.float64)
        for i, j in itertools.product(range(3), range(2)):
            y, z = 2 * row - top + i, column - left + 2 * j
            if 0 <= y < 5 and 0 <= z < 6:
                seen += depthwise[:, 0, i, j] * x[:, :, y, z]
        expected[:, :, row, column] = seen @ pointwise.T
    torch.testing.assert_close(layer(x)[0], expected)
