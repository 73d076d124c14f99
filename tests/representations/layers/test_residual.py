"""The residual block against its definition, written out with torch's own functions."""

import pytest
import torch
import torch.nn.functional as F

from vicinal.representations.inspection import inspect
from vicinal.representations.layers.residual import Residual
from vicinal.representations.network import build


@pytest.mark.parametrize(("units", "stride"), [(3, 1), (3, 2), (4, 1)])
@pytest.mark.parametrize("window", [4, 5])
@pytest.mark.parametrize("training", [True, False])
def test_is_window_norm_relu_window_norm_plus_shortcut_relu(
    units: int, stride: int, window: int, *, training: bool
) -> None:
    block = Residual((3, 11), units=units, window=(window,), stride=(stride,), dilation=(1,), padding="same")
    block.initialise(torch.Generator().manual_seed(0))
    block.train(training)
    x = torch.randn(4, 3, 11)
    pads = ((window - 1) // 2, window - 1 - (window - 1) // 2)
    y = F.conv1d(F.pad(x, pads), block.first.weight, stride=stride)
    y = F.relu(F.batch_norm(y, torch.zeros(units), torch.ones(units), training=training))
    y = F.conv1d(F.pad(y, pads), block.second.weight)
    y = F.batch_norm(y, torch.zeros(units), torch.ones(units), training=training)
    assert (block.shortcut is None) is (units == 3 and stride == 1)
    around = x if block.shortcut is None else F.conv1d(x, block.shortcut.weight, stride=stride)
    torch.testing.assert_close(block(x.unsqueeze(2))[0].squeeze(2), F.relu(y + around), rtol=1e-4, atol=1e-5)
    assert block.facts.shape == (units, -(-11 // stride))


@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (1, 3)])
def test_an_image_has_windows_in_both_directions(stride: tuple[int, int]) -> None:
    block = Residual(
        (3, 8, 9), units=4, window=(3, 4), stride=stride, dilation=(1, 2), padding="same"
    ).double()
    block.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, 8, 9, dtype=torch.float64)
    pads = (3, 3, 1, 1)  # along the width (4 - 1) * 2 in all, along the height 3 - 1
    y = F.conv2d(F.pad(x, pads), block.first.weight, stride=stride, dilation=(1, 2))
    y = F.relu(F.batch_norm(y, None, None, training=True))
    y = F.conv2d(F.pad(y, pads), block.second.weight, dilation=(1, 2))
    y = F.batch_norm(y, None, None, training=True)
    around = F.conv2d(x, block.shortcut.weight, stride=stride)
    torch.testing.assert_close(block(x)[0], F.relu(y + around))
    assert block.facts.shape == (4, -(-8 // stride[0]), -(-9 // stride[1]))


def test_the_input_is_left_as_it_was() -> None:
    block = Residual((3, 11), units=3, window=(3,), stride=(1,), dilation=(1,), padding="same")
    block.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, 1, 11)
    before = x.clone()
    block(x, torch.tensor([11, 5]))[0].sum().backward()
    assert torch.equal(x, before)


def test_dilated_and_causal_it_streams_and_never_sees_what_comes_later() -> None:
    text = " | ".join(f"residual 8 window 3 dilation {d} causal" for d in (1, 2, 4)) + " | conv 1 window 1"
    found = inspect(text, input_shape=(2, 60), rate_hz=100.0)
    assert (found.streamable, found.delay_ms) == (True, 0.0)
    assert found.receptive_field_samples == 1 + 2 * 2 * (1 + 2 + 4)
    network = build(text, input_shape=(2, 60), n_outputs=1, seed=0).double().eval()
    x = torch.randn(
        1, 2, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    ).requires_grad_()
    network(x)[0, 0, 40].backward()
    seen = x.grad[0].abs().sum(0).nonzero().flatten().tolist()
    assert seen == list(range(40 - 28, 40 + 1))
