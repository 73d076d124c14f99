"""`bottleneck`: a residual block whose window works on a quarter of the channels.

What it claims about the data: as `residual`; mixing channels is cheap at one position, so a block can carry many.
1 - norm - relu - window - norm - relu - 1 - norm + shortcut, relu. The shortcut takes the mean of each stride's
positions, then a window of 1 with norm where the units change.
Shapes: (in, *positions) -> (units, *new positions), for signals and images.
Parameters, with q = units / 4: q * in + q * q * window + q * units + 4 * q + 2 * units, and in * units + 2 * units
for the shortcut. Cost: the windows' multiply-adds, the first one's before the stride. Source: He et al. 2016; the
way round as in He T. et al. 2019 ("Bag of tricks", ResNet-D), which xresnet1d101 of Strodthoff et al. 2020 follows;
the last norm begins at zero (Goyal et al. 2017). Ours: padding and positions past the length stay out of the mean.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.geometry import Facts, Padding, Shape, Taps, taps_of
from vicinal.representations.layers.norm import BatchNorm
from vicinal.representations.layers.pool import WindowPool

__all__ = ["NARROWER", "Bottleneck"]

NARROWER = 4
"""How many times fewer channels the window sees."""


class Bottleneck(nn.Module):
    """The bottleneck block over (batch, in, height, width).

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it, a multiple of 4.
             window, stride, dilation: of the middle window, one per position axis.
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
        taps = taps_of(window, stride=stride, dilation=dilation, padding=padding)
        point = (Taps(1),) * len(taps)
        narrow = units // NARROWER
        self.first = Conv(shape, units=narrow, taps=point, bias=False)
        self.first_norm = BatchNorm(self.first.facts.shape)
        self.second = Conv(self.first.facts.shape, units=narrow, taps=taps, bias=False)
        self.second_norm = BatchNorm(self.second.facts.shape)
        self.third = Conv(self.second.facts.shape, units=units, taps=point, bias=False)
        output = self.third.facts.shape
        self.third_norm = BatchNorm(output)
        # The mean of as many positions as a stride takes together, on the side that the padding lies on.
        if padding == "causal":
            around = taps_of(stride, stride=stride, padding="causal")
        else:
            around = tuple(Taps(s, stride=s, right=s - 1) for s in stride)
        strides = any(s != 1 for s in stride)
        self.pool = WindowPool(shape, how="mean", taps=around) if strides else None
        changes = units != shape[0]
        self.shortcut = (
            Conv((shape[0], *output[1:]), units=units, taps=point, bias=False) if changes else None
        )
        self.shortcut_norm = BatchNorm(output) if changes else None
        windows = [self.first, self.second, self.third] + ([self.shortcut] if self.shortcut else [])
        self.facts = Facts(
            output,
            paths=((taps,), (around,)),
            multiply_adds=sum(one.facts.multiply_adds for one in windows),
            state_values=_state_values(shape[0], narrow, taps[-1], around[-1]),
            dense_parameters=sum(one.facts.dense_parameters for one in windows),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights; the block begins as its shortcut."""
        for part in self.children():
            if isinstance(part, Conv | BatchNorm):
                part.initialise(generator)
        nn.init.zeros_(self.third_norm.weight)

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out new_height new_width"], Int64[Tensor, " batch"] | None]:
        """Return relu(what was learnt + the shortcut), and the lengths after the stride."""
        y, _ = self.first_norm(*self.first(x, lengths))
        y, new_lengths = self.second(y.relu_(), lengths)
        y, _ = self.second_norm(y, new_lengths)
        y, _ = self.third_norm(*self.third(y.relu_(), new_lengths))
        around = x if self.pool is None else self.pool(x, lengths)[0]
        if self.shortcut is not None and self.shortcut_norm is not None:
            around, _ = self.shortcut_norm(*self.shortcut(around, new_lengths))
        return y.add_(around).relu_(), new_lengths


def _state_values(n_in: int, narrow: int, taps: Taps, around: Taps) -> int:
    """Return what a stream keeps: the window's past, and the input that the shortcut waits for or averages."""
    ahead = max(taps.right_of, around.right_of, 0)
    return narrow * (taps.reach - 1 + ahead - max(taps.right_of, 0)) + n_in * (ahead + around.left)
