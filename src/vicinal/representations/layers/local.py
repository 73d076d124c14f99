"""`local`: each unit sees one window, and every window has weights of its own.

What it claims about the data: nearby positions matter together, and where they lie matters too (aligned
beats, faces).
Shapes: (in, *positions) -> (units, *new positions), for signals and images.
Parameters: positions * (units * in * window + units). Cost: positions * units * in * window multiply-adds.
Source: LeCun 1989, "Generalization and network design strategies"; PyTorch has no such layer and Keras 3 dropped
its own. Ours: stride, dilation and padding as for `conv`; one batched matrix product over the positions.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.geometry import Facts, Shape, Taps, n_values
from vicinal.representations.layers.initial import draw_weights_
from vicinal.representations.layers.lengths import output_lengths, zero_past_

__all__ = ["Local"]


class Local(nn.Module):
    """Unshared windows over (batch, in, height, width); one batched matrix product over the positions.

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it.
             taps: one per position axis.  bias: whether each unit at each position has one.
    """

    def __init__(self, shape: Shape, *, units: int, taps: tuple[Taps, ...], bias: bool) -> None:
        super().__init__()
        window = tuple(one.window for one in taps)
        output = (units, *(one.count(n) for one, n in zip(taps, shape[1:], strict=True)))
        n_positions = n_values(output[1:])
        self.weight = nn.Parameter(torch.empty(n_positions, units, shape[0], *window))
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
        draw_weights_(self.weight, fan_in=self.weight[0, 0].numel(), generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out new_height new_width"], Int64[Tensor, " batch"] | None]:
        """Return each window's own weighted sums, and the lengths: the windows that lie in the real part."""
        vertical, horizontal = self.taps if len(self.taps) == 2 else (Taps(1), *self.taps)
        if any((vertical.left, vertical.right, horizontal.left, horizontal.right)):
            x = F.pad(x, (horizontal.left, horizontal.right, vertical.left, vertical.right))
        windows = x.unfold(2, vertical.reach, vertical.stride).unfold(3, horizontal.reach, horizontal.stride)
        windows = windows[..., :: vertical.dilation, :: horizontal.dilation]
        n_rows, _, height, width = windows.shape[:4]
        # One gathering copy: (positions, batch, in * window), the layout of the product.
        gathered = windows.permute(2, 3, 0, 1, 4, 5).reshape(height * width, n_rows, -1)
        weights = self.weight.flatten(2).transpose(1, 2)
        if self.bias is None:
            sums = torch.bmm(gathered, weights)
        else:
            sums = torch.baddbmm(self.bias.unsqueeze(1), gathered, weights)
        y = sums.view(height, width, n_rows, -1).permute(2, 3, 0, 1)
        lengths = output_lengths(lengths, self.taps)
        return zero_past_(y, lengths), lengths
