"""`separable`: each channel is windowed alone, then the channels are mixed at each position.

What it claims about the data: as `conv`, and that a pattern in time and a mixture of channels can be learnt apart.
Shapes: (in, *positions) -> (units, *new positions), for signals and images.
Parameters: in * window + in * units, where `conv` has in * units * window. Cost: as many multiply-adds at each
position. Source: Sifre and Mallat 2014; Chollet 2017 (Xception). Ours: no norm and no nonlinearity between the two;
write them behind it.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.geometry import Facts, Padding, Shape, Taps, n_values, taps_of

__all__ = ["Separable"]


class Separable(nn.Module):
    """A depthwise window and a pointwise mixture over (batch, in, height, width), both without bias.

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it.
             window, stride, dilation: one per position axis.  padding: "same" or "causal".
    """

    def __init__(
        self,
        shape: Shape,
        *,
        units: int,
        window: tuple[int, ...],
        stride: tuple[int, ...],
        dilation: tuple[int, ...],
        padding: Padding,
    ) -> None:
        super().__init__()
        taps = taps_of(window, stride=stride, dilation=dilation, padding=padding)
        self.depthwise = Conv(shape, units=shape[0], taps=taps, bias=False, groups=shape[0])
        middle = self.depthwise.facts.shape
        self.pointwise = Conv(middle, units=units, taps=(Taps(1),) * len(taps), bias=False)
        output = self.pointwise.facts.shape
        self.facts = Facts(
            output,
            paths=((taps,),),
            multiply_adds=self.depthwise.facts.multiply_adds + self.pointwise.facts.multiply_adds,
            state_values=self.depthwise.facts.state_values,
            dense_parameters=n_values(output) * n_values(shape),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights of both."""
        self.depthwise.initialise(generator)
        self.pointwise.initialise(generator)

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out new_height new_width"], Int64[Tensor, " batch"] | None]:
        """Return the mixtures of the windowed channels, and the lengths after the stride."""
        mixed: tuple[Tensor, Tensor | None] = self.pointwise(*self.depthwise(x, lengths))
        return mixed
