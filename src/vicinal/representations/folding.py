"""A network for scoring: batch norms folded into the convolutions before them.

In use a batch norm is one scale and one shift per channel, and a convolution can carry both. It knows which
layers follow each other; not the processor, nor the training.
"""

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.norm import BatchNorm

__all__ = ["folded"]


class Folded(nn.Module):
    """Where a batch norm was."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return its input."""
        return x, lengths


def folded(network: nn.Module) -> Any:
    """Return a copy of the network for scoring: evaluation mode, no gradients, norms folded where they can be.

    A norm is folded when it follows a convolution: as the next stage, or in a block as `<name>_norm` after
    `<name>`.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    for conv, holder, name in list(_pairs(network)):
        _fold_(conv, holder.get_submodule(name))
        holder.add_module(name, Folded())
    return network


def _pairs(network: nn.Module) -> Iterator[tuple[Conv, nn.Module, str]]:
    """Yield each convolution with the holder and the name of the norm that follows it."""
    for holder in network.modules():
        parts = dict(holder.named_children())
        for name, part in parts.items():
            if isinstance(part, Conv) and isinstance(parts.get(f"{name}_norm"), BatchNorm):
                yield part, holder, f"{name}_norm"
    stages = [stage for stage in network.children() if isinstance(stage, nn.ModuleDict)]
    for stage, after in pairwise(stages):
        (part,), ((name, norm),) = stage.values(), after.items()
        if isinstance(part, Conv) and isinstance(norm, BatchNorm):
            yield part, after, name


def _fold_(conv: Conv, norm: nn.Module) -> None:
    assert isinstance(norm, BatchNorm)
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.epsilon)
    shift = norm.bias - norm.running_mean * scale
    conv.weight.mul_(scale.view(-1, *[1] * (conv.weight.dim() - 1)))
    conv.bias = nn.Parameter(shift if conv.bias is None else shift + conv.bias * scale, requires_grad=False)
