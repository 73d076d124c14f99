"""A network for scoring: batch norms folded into the convolutions before them.

In use a batch norm is one scale and one shift per channel, and a convolution can carry both. It knows which
layers follow each other; not the processor, nor the training.
"""

import copy
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn

from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.geometry import Facts
from vicinal.representations.layers.inception import InceptionModule
from vicinal.representations.layers.local import Local
from vicinal.representations.layers.norm import BatchNorm
from vicinal.representations.layers.separable import Separable

__all__ = ["folded"]


class Folded(nn.Module):
    """Where a batch norm was.

    Args:    facts: of the norm, which stay true.
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return its input."""
        return x, lengths


def folded(network: nn.Module, dtype: torch.dtype = torch.float32) -> Any:
    """Return a copy of the network for scoring: evaluation mode, no gradients, norms folded where they can be.

    A norm is folded when it follows convolutions: as the stage behind `conv` or `separable`, in a block as
    `<name>_norm` after `<name>`, or over the branches of an inception module.

    Args:    dtype: of the weights of windows, once they are folded: what products convert them to anyway, once and
             not for each batch. Heads stay float32.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    for convs, holder, name in list(_places(network)):
        norm = holder.get_submodule(name)
        assert isinstance(norm, BatchNorm)
        _fold_(convs, norm)
        holder.add_module(name, Folded(norm.facts))
    for part in network.modules():
        if isinstance(part, Local):
            part.lay_out()
        if isinstance(part, Local) or (isinstance(part, Conv) and not part.head):
            part.to(dtype)
    return network


def _places(network: nn.Module) -> Iterator[tuple[list[Conv], nn.Module, str]]:
    """Yield convolutions side by side, with the holder and the name of the norm over their channels."""
    for holder in network.modules():
        parts = dict(holder.named_children())
        for name, part in parts.items():
            if isinstance(part, Conv) and isinstance(parts.get(f"{name}_norm"), BatchNorm):
                yield [part], holder, f"{name}_norm"
        if isinstance(holder, InceptionModule):
            yield [*cast(Iterable[Conv], holder.windows), holder.pooled], holder, "norm"
    stages = [stage for stage in network.children() if isinstance(stage, nn.ModuleDict)]
    for stage, after in pairwise(stages):
        (part,), ((name, norm),) = stage.values(), after.items()
        last = part.pointwise if isinstance(part, Separable) else part
        if isinstance(last, Conv) and isinstance(norm, BatchNorm):
            yield [last], after, name


def _fold_(convs: list[Conv], norm: BatchNorm) -> None:
    sizes = [len(conv.weight) for conv in convs]
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.epsilon)
    shift = norm.bias - norm.running_mean * scale
    for conv, factor, offset in zip(convs, torch.split(scale, sizes), torch.split(shift, sizes), strict=True):
        conv.weight.mul_(factor.view(-1, *[1] * (conv.weight.dim() - 1)))
        bias = offset if conv.bias is None else offset + conv.bias * factor
        conv.bias = nn.Parameter(bias, requires_grad=False)
