"""The baseline: a network again, with the same weights, in `nn.Conv1d` and its companions.

It is what ECG and time-series libraries do: batch first, channels before time, one module after the other. It knows
layers and torch's modules; not engines nor clocks.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vicinal.errors import NetworkError
from vicinal.representations.layers.bottleneck import Bottleneck
from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.dense import Dense
from vicinal.representations.layers.inception import Inception, InceptionModule
from vicinal.representations.layers.norm import BatchNorm
from vicinal.representations.layers.pointwise import Dropout, Relu
from vicinal.representations.layers.pool import GlobalPool, WindowPool
from vicinal.representations.layers.residual import Residual
from vicinal.representations.network import Network

__all__ = ["plain"]


def plain(network: Network) -> nn.Module:
    """Return the same network, with the same weights, in `nn.Conv1d` and its companions.

    Raises:  NetworkError: for a stage that has no counterpart here.
    """
    return nn.Sequential(*(_plain(layer) for layer in network.layers())).train(network.training)


class _Residual(nn.Module):
    """relu of a way and a way around it."""

    def __init__(self, way: list[nn.Module], around: list[nn.Module]) -> None:
        super().__init__()
        self.way, self.around = nn.Sequential(*way), nn.Sequential(*around)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.way(x) + self.around(x))


class _SideBySide(nn.Module):
    """The channels of several ways over the same input."""

    def __init__(self, ways: list[nn.Module]) -> None:
        super().__init__()
        self.ways = nn.ModuleList(ways)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([way(x) for way in self.ways], dim=1)


class _Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(-1)


class _Max(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.amax(-1)


def _plain(layer: object) -> nn.Module:
    match layer:
        case Conv(weight=weight, bias=bias, taps=(taps,), groups=1) if taps.left == taps.right:
            conv = nn.Conv1d(
                weight.shape[1],
                weight.shape[0],
                taps.window,
                stride=taps.stride,
                padding=taps.left,
                dilation=taps.dilation,
                bias=bias is not None,
            )
            return _with_values(conv, layer)
        case BatchNorm(weight=weight):
            return _with_values(nn.BatchNorm1d(len(weight), eps=layer.epsilon), layer)
        case Dense(weight=weight, flattens=False):
            return _with_values(nn.Linear(weight.shape[1], weight.shape[0]), layer)
        case Relu():
            return nn.ReLU()
        case Dropout():
            return nn.Dropout(layer.share)
        case GlobalPool(how="mean"):
            return _Mean()
        case GlobalPool(how="mean-max"):
            return _SideBySide([_Mean(), _Max()])
        case WindowPool(how="max", taps=(taps,)) if taps.left == taps.right and taps.dilation == 1:
            return nn.MaxPool1d(taps.window, taps.stride, padding=taps.left)
        case WindowPool(how="mean", taps=(taps,)) if taps.left == 0 and taps.window == taps.stride:
            return nn.AvgPool1d(taps.window, taps.stride, ceil_mode=taps.right > 0, count_include_pad=False)
        case Residual():
            way = [layer.first, layer.first_norm, nn.ReLU(), layer.second, layer.second_norm]
            return _Residual(_all_plain(way), _all_plain([layer.shortcut]))
        case Bottleneck():
            way = [layer.first, layer.first_norm, nn.ReLU(), layer.second, layer.second_norm, nn.ReLU()]
            way += [layer.third, layer.third_norm]
            around = [layer.pool, layer.shortcut, layer.shortcut_norm]
            return _Residual(_all_plain(way), _all_plain(around))
        case Inception():
            stack = _all_plain(list(layer.stack))
            return (
                _Residual(stack, _all_plain([layer.shortcut, layer.shortcut_norm]))
                if layer.shortcut
                else stack[0]
            )
        case InceptionModule():
            windows = _SideBySide(_all_plain(list(layer.windows)))
            mixed = nn.Sequential(*_all_plain([layer.mixture]), windows)
            pooled = nn.Sequential(*_all_plain([layer.pool, layer.pooled]))
            return nn.Sequential(_SideBySide([mixed, pooled]), _plain(layer.norm), nn.ReLU())
        case nn.ReLU():
            return layer
    raise NetworkError(
        f"bench: expected stages with a plain counterpart (conv, norm, relu, dropout, residual, bottleneck, "
        f"inception, max and mean over windows or all positions, dense), got {type(layer).__name__.lower()}; "
        "measure another network."
    )


def _all_plain(layers: Sequence[nn.Module | None]) -> list[nn.Module]:
    return [_plain(layer) for layer in layers if layer is not None]


def _with_values(module: nn.Module, layer: nn.Module) -> nn.Module:
    module.load_state_dict({**module.state_dict(), **layer.state_dict()})
    return module
