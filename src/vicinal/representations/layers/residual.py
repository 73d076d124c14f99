"""`residual`: two windows and a way around them; the block learns what to add to its input.

What it claims about the data: as `conv`, and that a deep network should be able to leave a signal as it is.
window - norm - relu - window - norm + shortcut, relu; the shortcut is a window of 1 without norm where the
stride or the units change, else the identity.
Shapes: (in, *positions) -> (units, *new positions), for signals and images.
Parameters: units * window * (in + units) + 4 * units, and in * units for the shortcut. Cost: the windows'
multiply-adds at each new position. Source: He et al. 2016; Ribeiro et al. 2020 for ECG. Ours: no norm on the shortcut.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.geometry import Facts, Padding, Shape, Taps, taps_of
from vicinal.representations.layers.norm import BatchNorm

__all__ = ["Residual"]


class Residual(nn.Module):
    """The basic residual block over (batch, in, height, width).

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it.
             window, stride, dilation: one per position axis; the stride is the first window's.
             padding: "same" or "causal", so that both ways have equally many positions.
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
        first = taps_of(window, stride=stride, dilation=dilation, padding=padding)
        second = taps_of(window, dilation=dilation, padding=padding)
        around = tuple(Taps(1, stride=s) for s in stride)
        changes = units != shape[0] or any(s != 1 for s in stride)
        self.first = Conv(shape, units=units, taps=first, bias=False)
        middle = self.first.facts.shape
        self.first_norm = BatchNorm(middle)
        self.second = Conv(middle, units=units, taps=second, bias=False)
        self.second_norm = BatchNorm(middle)
        self.shortcut = Conv(shape, units=units, taps=around, bias=False) if changes else None
        windows = [self.first.facts, self.second.facts] + ([self.shortcut.facts] if self.shortcut else [])
        self.facts = Facts(
            middle,
            paths=((first, second), (around,)),
            multiply_adds=sum(facts.multiply_adds for facts in windows),
            state_values=_state_values(shape[0], units, first[-1], second[-1]),
            dense_parameters=sum(facts.dense_parameters for facts in windows),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights of the windows; the norms begin as the identity."""
        for part in (self.first, self.first_norm, self.second, self.second_norm, self.shortcut):
            if part is not None:
                part.initialise(generator)

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out new_height new_width"], Int64[Tensor, " batch"] | None]:
        """Return relu(what was learnt + the shortcut), and the lengths after the stride."""
        y, new_lengths = self.first(x, lengths)
        y, _ = self.first_norm(y, new_lengths)
        y, _ = self.second(y.relu_(), new_lengths)
        y, _ = self.second_norm(y, new_lengths)
        around = x if self.shortcut is None else self.shortcut(x, lengths)[0]
        return y.add_(around).relu_(), new_lengths


def _state_values(n_in: int, units: int, first: Taps, second: Taps) -> int:
    """Return what a stream keeps: both windows' pasts, and the input that the shortcut still waits for."""
    ahead = first.right_of + second.right_of * first.stride
    waiting = max(0, ahead - (first.reach - 1))
    return n_in * (first.reach - 1 + waiting) + units * (second.reach - 1)
