"""`local`: each unit sees one window, and every window has weights of its own.

What it claims about the data: nearby positions matter together, and where they lie matters too (aligned
beats, faces).
Shapes: (in, *positions) -> (units, *new positions), for signals and images.
Parameters: positions * (units * in * window + units). Cost: positions * units * in * window multiply-adds.
Source: LeCun 1989, "Generalization and network design strategies"; PyTorch has no such layer and Keras 3 dropped
its own. Ours: stride, dilation and padding as for `conv`; batched matrix products over the positions.

In channels-last memory a window of a signal is one stretch, so the windows of one position are a matrix as they lie,
and weights whose memory runs over the channels last need no rearranging either. Some positions at a time: a library
that copies the overlapping windows then copies few.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from vicinal.representations.layers.geometry import Facts, Shape, Taps, n_values
from vicinal.representations.layers.initial import draw_weights_
from vicinal.representations.layers.lengths import output_lengths, zero_past_

__all__ = ["Local"]

GATHERED_VALUES = 1 << 22
"""Of windows that a product may have to copy at a time."""


class Local(nn.Module):
    """Unshared windows over (batch, in, height, width); batched matrix products over the positions.

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it.
             taps: one per position axis.  bias: whether each unit at each position has one.
    """

    def __init__(self, shape: Shape, *, units: int, taps: tuple[Taps, ...], bias: bool) -> None:
        super().__init__()
        window = tuple(one.window for one in taps)
        output = (units, *(one.count(n) for one, n in zip(taps, shape[1:], strict=True)))
        n_positions = n_values(output[1:])
        self.weight = nn.Parameter(torch.empty(n_positions, units, *window, shape[0]).movedim(-1, 2))
        self.bias = nn.Parameter(torch.empty(n_positions, units)) if bias else None
        self.taps = taps
        self.facts = Facts(
            output,
            paths=((taps,),),
            multiply_adds=n_values(output) * shape[0] * n_values(window),
            state_values=None,  # its weights belong to positions of a whole signal
            dense_parameters=n_values(output) * (n_values(shape) + bias),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights; biases begin at zero."""
        drawn = torch.empty(
            self.weight.shape
        )  # numbers fall as in the public shape, whatever the memory's order
        draw_weights_(drawn, fan_in=drawn[0, 0].numel(), generator=generator)
        with torch.no_grad():
            self.weight.copy_(drawn)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def lay_out(self) -> None:
        """Let the memory of the weights run over the channels last, as it does unless they came from a file."""
        self.weight.data = self.weight.data.movedim(2, -1).contiguous().movedim(-1, 2)

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out new_height new_width"], Int64[Tensor, " batch"] | None]:
        """Return each window's own weighted sums, and the lengths: the windows that lie in the real part."""
        vertical, horizontal = taps = self.taps if len(self.taps) == 2 else (Taps(1), *self.taps)
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        if any((vertical.left, vertical.right, horizontal.left, horizontal.right)):
            x = F.pad(x, (horizontal.left, horizontal.right, vertical.left, vertical.right))
        weight = self.weight.unsqueeze(3) if self.weight.dim() == 4 else self.weight
        with torch.autocast(x.device.type, enabled=False):
            bias = None if self.bias is None else self.bias.to(x.dtype)
            products: Tensor = _Products.apply(
                x.movedim(1, -1), weight.movedim(2, -1).to(x.dtype), bias, taps
            )  # type: ignore[no-untyped-call]  # torch does not annotate it
        lengths = output_lengths(lengths, self.taps)
        return zero_past_(products.movedim(-1, 1), lengths), lengths


class _Products(Function):
    """x (batch, height, width, in), weight (positions, out, *window, in) -> (batch, new height, new width, out)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, taps: tuple[Taps, Taps]) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x, weight)
        ctx.taps = taps
        windows = _windows(x, taps)
        height, width, n_rows = windows.shape[:3]
        weights = weight.flatten(2).transpose(1, 2)
        y = x.new_empty(n_rows, height, width, weights.shape[-1])
        by_position = y.flatten(1, 2)
        for some, block in _blocks(windows):
            part = torch.bmm(_matrices(block), weights[some]).transpose(0, 1)
            by_position[:, some] = part if bias is None else part.add_(bias[some])
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:
        x: Tensor
        weight: Tensor
        x, weight = ctx.saved_tensors
        of_y = gradient.flatten(1, 2).transpose(0, 1)  # (positions, batch, out)
        of_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        of_weight = torch.empty_like(weight) if ctx.needs_input_grad[1] else None
        for some, block in _blocks(_windows(x, ctx.taps)):
            if of_weight is not None:
                product = torch.bmm(of_y[some].transpose(1, 2), _matrices(block))
                of_weight[some] = product.view(of_weight[some].shape)
        for some, block in _blocks(_windows(of_x, ctx.taps)) if of_x is not None else ():
            of_windows = torch.bmm(of_y[some], weight[some].flatten(2))
            _add_up_(block, of_windows.view(block.shape), ctx.taps)
        return of_x, of_weight, of_y.sum(1) if ctx.needs_input_grad[2] else None, None


def _windows(x: Float[Tensor, "batch height width in"], taps: tuple[Taps, Taps]) -> Tensor:
    """Return a view (new height, new width, batch, vertical, horizontal, in): what each position sees of each row."""
    vertical, horizontal = taps
    windows = x.unfold(1, vertical.reach, vertical.stride).unfold(2, horizontal.reach, horizontal.stride)
    return windows[..., :: vertical.dilation, :: horizontal.dilation].permute(1, 2, 0, 4, 5, 3)


def _blocks(windows: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield positions, some at a time: parts of a signal, rows of an image."""
    height, width, n_rows = windows.shape[:3]
    size = max(1, GATHERED_VALUES // max(1, n_rows * windows[0, 0, 0].numel()))
    if height == 1:
        for start in range(0, width, size):
            some = slice(start, min(start + size, width))
            yield some, windows[:, some]
    else:
        for start in range(0, height, max(1, size // width)):
            stop = min(start + max(1, size // width), height)
            yield slice(start * width, stop * width), windows[start:stop]


def _matrices(block: Tensor) -> Float[Tensor, "some batch values"]:
    """Return the windows of each position as a matrix: a view for signals, a copy for images and dilated windows."""
    height, width, n_rows = block.shape[:3]
    return block.reshape(height * width, n_rows, -1)


def _add_up_(block: Tensor, of_windows: Tensor, taps: tuple[Taps, Taps]) -> None:
    """Add to each position what its windows got; as many taps at once as lie in no other window at the same place."""
    vertical, horizontal = taps
    step = horizontal.stride if horizontal.dilation == 1 else 1
    for i in range(vertical.window):
        for j in range(0, horizontal.window, step):
            block[:, :, :, i, j : j + step].add_(of_windows[:, :, :, i, j : j + step])
