"""Inception modules against their definition, written out with torch's own functions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vicinal.representations.layers.inception import Inception


def norm(x: Tensor) -> Tensor:
    return F.batch_norm(x, torch.zeros(x.shape[1]), torch.ones(x.shape[1]), training=True)


def module_by_hand(module: nn.Module, x: Tensor) -> Tensor:
    mixed = x if module.mixture is None else F.conv1d(x, module.mixture.weight)
    branches = []
    for window in module.windows:
        n = window.weight.shape[-1]
        branches.append(F.conv1d(F.pad(mixed, ((n - 1) // 2, n - 1 - (n - 1) // 2)), window.weight))
    branches.append(F.conv1d(F.max_pool1d(x, 3, stride=1, padding=1), module.pooled.weight))
    return F.relu(norm(torch.cat(branches, dim=1)))


def test_three_modules_and_a_shortcut() -> None:
    layer = Inception((5, 30), units=8, window=(9,), depth=3, padding="same")
    layer.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(4, 5, 30)
    y = x
    for module in layer.stack:
        y = module_by_hand(module, y)
    expected = F.relu(y + norm(F.conv1d(x, layer.shortcut.weight)))
    torch.testing.assert_close(layer(x.unsqueeze(2))[0].squeeze(2), expected, rtol=1e-4, atol=1e-5)


def test_the_windows_are_a_whole_a_half_and_a_quarter() -> None:
    layer = Inception((5, 60), units=8, window=(39,), depth=1, padding="same")
    assert [window.weight.shape[-1] for window in layer.stack[0].windows] == [39, 19, 9]
    assert layer.shortcut is None


def test_a_single_channel_is_not_mixed() -> None:
    assert Inception((1, 60), units=8, window=(9,), depth=1, padding="same").stack[0].mixture is None


def test_padding_never_wins_the_maximum() -> None:
    layer = Inception((1, 6), units=4, window=(4,), depth=1, padding="same")
    layer.initialise(torch.Generator().manual_seed(0))
    layer.eval()
    x = torch.full((1, 1, 1, 6), -1.0)
    pooled, _ = layer.stack[0].pool(x, torch.tensor([4]))
    assert pooled.flatten().tolist() == [-1.0, -1.0, -1.0, -1.0, 0.0, 0.0]


def test_images_have_windows_in_both_directions() -> None:
    layer = Inception((3, 8, 9), units=8, window=(4, 9), depth=1, padding="same").double()
    layer.initialise(torch.Generator().manual_seed(0))
    (module,) = layer.stack
    assert [window.weight.shape[2:] for window in module.windows] == [(4, 9), (2, 4), (1, 2)]
    x = torch.randn(2, 3, 8, 9, dtype=torch.float64)
    mixed, branches = F.conv2d(x, module.mixture.weight), []
    for window in module.windows:
        pads = [
            side for n in reversed(window.weight.shape[2:]) for side in ((n - 1) // 2, n - 1 - (n - 1) // 2)
        ]
        branches.append(F.conv2d(F.pad(mixed, pads), window.weight))
    branches.append(F.conv2d(F.max_pool2d(x, 3, stride=1, padding=1), module.pooled.weight))
    joined = torch.cat(branches, dim=1)
    expected = F.relu(F.batch_norm(joined, None, None, training=True))
    torch.testing.assert_close(layer(x)[0], expected)
