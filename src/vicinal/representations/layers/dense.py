"""`dense`: every unit sees every input; in the middle of a network it mixes the channels at each position.

What it claims about the data: nothing at all when it stands first, where it flattens the signal (channel
after channel) and every unit sees all of it; in the middle, that positions can be read one by one.
Shapes: (in, *positions) -> (units, *positions), or (features,) and a whole signal -> (units,).
Parameters: in * units + units. Cost: in * units multiply-adds, at each position where there are any.
Source: Rosenblatt 1958. Ours: one word for both uses, told apart by the place; a head computes in float32.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.conv import convolve
from vicinal.representations.layers.geometry import Facts, Shape, Taps, n_values
from vicinal.representations.layers.initial import draw_head_, draw_weights_
from vicinal.representations.layers.lengths import zero_past_

__all__ = ["Dense"]


class Dense(nn.Module):
    """A matrix product over features, over all values (`first`), or over the channels at each position.

    Args:    shape: (features,) or (channels, *positions) that reach it.  units: what leaves it.
             first: whether it stands first, and so flattens.  head: whether its outputs are
             logits: computed in float32 in any precision.
    """

    def __init__(self, shape: Shape, *, units: int, first: bool, head: bool) -> None:
        super().__init__()
        flattens = first and len(shape) > 1
        n_in = n_values(shape) if flattens else shape[0]
        output = (units,) if flattens else (units, *shape[1:])
        self.weight = nn.Parameter(torch.empty(units, n_in))
        self.bias = nn.Parameter(torch.empty(units))
        self.flattens = flattens
        self.head = head
        self.facts = Facts(
            output,
            paths=None if len(output) == 1 else ((),),
            multiply_adds=n_values(output) * n_in,
            state_values=None if flattens else 0,
            dense_parameters=n_values(output) * (n_values(shape) + 1),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights; biases begin at zero."""
        draw = draw_head_ if self.head else draw_weights_
        draw(self.weight, fan_in=self.weight.shape[1], generator=generator)
        nn.init.zeros_(self.bias)

    def forward(
        self, x: Float[Tensor, "batch in *positions"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out *new_positions"], Int64[Tensor, " batch"] | None]:
        """Return the mixed values; the lengths end where the positions end."""
        if self.flattens:
            x, lengths = x.flatten(1), None
        if self.head:
            with torch.autocast(x.device.type, enabled=False):
                return F.linear(x.to(self.weight.dtype), self.weight, self.bias), None
        if x.dim() == 2:
            return F.linear(x, self.weight, self.bias), None
        y = convolve(x, self.weight[:, :, None, None], self.bias, (Taps(1), Taps(1)))
        return zero_past_(y, lengths), lengths
