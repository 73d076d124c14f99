"""The bottleneck block against its definition, written out with torch's own functions."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vicinal.representations.layers.bottleneck import Bottleneck


def norm(x: Tensor, *, training: bool) -> Tensor:
    return F.batch_norm(x, torch.zeros(x.shape[1]), torch.ones(x.shape[1]), training=training)


@pytest.mark.parametrize(("units", "stride"), [(8, 1), (8, 2), (12, 1), (12, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_is_what_the_paper_says(units: int, stride: int, *, training: bool) -> None:
    block = Bottleneck((8, 11), units=units, window=(5,), stride=(stride,), dilation=(1,), padding="same")
    block.initialise(torch.Generator().manual_seed(0))
    torch.nn.init.ones_(block.third_norm.weight)
    block.train(training)
    x = torch.randn(4, 8, 11)
    y = F.relu(norm(F.conv1d(x, block.first.weight), training=training))
    y = F.relu(norm(F.conv1d(y, block.second.weight, stride=stride, padding=2), training=training))
    y = norm(F.conv1d(y, block.third.weight), training=training)
    around = F.avg_pool1d(x, stride, ceil_mode=True) if stride > 1 else x
    if block.shortcut is not None:
        around = norm(F.conv1d(around, block.shortcut.weight), training=training)
    assert (block.shortcut is None) is (units == 8)
    torch.testing.assert_close(block(x.unsqueeze(2))[0].squeeze(2), F.relu(y + around), rtol=1e-4, atol=1e-5)
    assert block.facts.shape == (units, -(-11 // stride))


@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (1, 3)])
def test_an_image_has_windows_in_both_directions(stride: tuple[int, int]) -> None:
    block = Bottleneck(
        (8, 7, 9), units=12, window=(3, 5), stride=stride, dilation=(1, 1), padding="same"
    ).double()
    block.initialise(torch.Generator().manual_seed(0))
    torch.nn.init.ones_(block.third_norm.weight)
    x = torch.randn(2, 8, 7, 9, dtype=torch.float64)

    def normed(y: Tensor) -> Tensor:
        return F.batch_norm(y, None, None, training=True)

    y = F.relu(normed(F.conv2d(x, block.first.weight)))
    y = F.relu(normed(F.conv2d(y, block.second.weight, stride=stride, padding=(1, 2))))
    y = normed(F.conv2d(y, block.third.weight))
    around = normed(F.conv2d(F.avg_pool2d(x, stride, ceil_mode=True), block.shortcut.weight))
    torch.testing.assert_close(block(x)[0], F.relu(y + around))
    assert block.facts.shape == (12, -(-7 // stride[0]), -(-9 // stride[1]))


def test_begins_as_its_shortcut() -> None:
    block = Bottleneck((8, 11), units=8, window=(3,), stride=(1,), dilation=(1,), padding="same")
    block.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(2, 8, 1, 11)
    torch.testing.assert_close(block.eval()(x)[0], F.relu(x))
