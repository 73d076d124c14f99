"""`conv`: each unit sees one window, and all windows share their weights.

What it claims about the data: nearby positions matter together, and the same pattern can turn up anywhere.
The output moves with the input (equivariance); only pooling makes it not care where a pattern lies.
Shapes: (in, *positions) -> (units, *new positions), for signals and images.
Parameters: units * in * window + units. Cost: positions * units * in * window multiply-adds.
Source: LeCun et al. 1989. Ours: a 1-D signal is an image of height one, and the weights keep their public 1-D
shape; the left pad never depends on the length of the signal.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations import filtering, winograd
from vicinal.representations.layers.geometry import Facts, Shape, Taps, n_values
from vicinal.representations.layers.initial import draw_head_, draw_weights_
from vicinal.representations.layers.lengths import output_lengths, zero_past_

__all__ = ["Conv", "convolve"]


def convolve(
    x: Float[Tensor, "batch in height width"],
    weight: Float[Tensor, "out in_of_group *window"],
    bias: Float[Tensor, " out"] | None,
    taps: tuple[Taps, ...],
    *,
    groups: int = 1,
) -> Float[Tensor, "batch out new_height new_width"]:
    """Cross-correlate x with shared windows: THE convolution call of all layers.

    Args:    weight: (out, in, window) along the width, or (out, in, height, width).
             taps: stride, dilation and padding per axis; one for 1-D weights, two for 2-D ones.
             groups: parts of the channels that do not see each other.
    """
    if groups == 1 and filtering.suits(x, weight, taps[-1]):
        return filtering.convolve(x, weight, bias, taps[-1])
    if groups == 1 and winograd.suits(x, weight, taps[-1]):
        return winograd.convolve(x, weight, bias, taps[-1])
    if weight.dim() == 3:  # an image of height one; a view, not a copy
        weight, taps = weight.unsqueeze(2), (Taps(1), *taps)
    vertical, horizontal = taps
    if vertical.left != vertical.right or horizontal.left != horizontal.right:
        x = F.pad(x, (horizontal.left, horizontal.right, vertical.left, vertical.right))
        padding = (0, 0)
    else:
        padding = (vertical.left, horizontal.left)
    return F.conv2d(
        x,
        weight,
        bias,
        stride=(vertical.stride, horizontal.stride),
        padding=padding,
        dilation=(vertical.dilation, horizontal.dilation),
        groups=groups,
    )


class Conv(nn.Module):
    """A convolution of (batch, in, height, width); height is one for 1-D signals.

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it.
             taps: one per position axis.  bias: whether it has one.
             head: whether its outputs are logits: computed in float32 in any precision.
             groups: parts of the channels that do not see each other; divides `in` and `units`.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        units: int,
        taps: tuple[Taps, ...],
        bias: bool,
        head: bool = False,
        groups: int = 1,
    ) -> None:
        super().__init__()
        window = tuple(one.window for one in taps)
        self.weight = nn.Parameter(torch.empty(units, shape[0] // groups, *window))
        self.bias = nn.Parameter(torch.empty(units)) if bias else None
        self.taps = taps
        self.head = head
        self.groups = groups
        output = (units, *(one.count(n) for one, n in zip(taps, shape[1:], strict=True)))
        self.facts = Facts(
            output,
            paths=((taps,),),
            multiply_adds=n_values(output) * (shape[0] // groups) * n_values(window),
            state_values=shape[0] * (taps[-1].reach - 1),
            dense_parameters=n_values(output) * (n_values(shape) + bias),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights; biases begin at zero."""
        draw = draw_head_ if self.head else draw_weights_
        draw(self.weight, fan_in=self.weight[0].numel(), generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out new_height new_width"], Int64[Tensor, " batch"] | None]:
        """Return the filtered signal and its lengths: the windows that lie in the real part."""
        lengths = output_lengths(lengths, self.taps)
        if self.head:
            with torch.autocast(x.device.type, enabled=False):
                y = convolve(x.to(self.weight.dtype), self.weight, self.bias, self.taps, groups=self.groups)
        else:
            y = convolve(x, self.weight, self.bias, self.taps, groups=self.groups)
        return zero_past_(y, lengths), lengths
