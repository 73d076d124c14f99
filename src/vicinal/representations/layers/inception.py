"""`inception`: windows of three lengths side by side, and the strongest neighbour, over a mixture of few channels.

What it claims about the data: as `conv`, and that patterns come in several lengths. A module mixes its input to a
quarter of the units, runs windows of w, w // 2 and w // 4 over the mixture and a maximum of 3 over the input, puts
the four quarters side by side, norm, relu. `depth d` stacks d modules with one shortcut (a window of 1 with norm)
around them, relu.
Shapes: (in, *positions) -> (units, *positions), for signals and images.
Parameters of a module, with q = units / 4: 2 * q * in + q * q * (w + w // 2 + w // 4) + 2 * units, and
in * units + 2 * units for the shortcut. Cost: the windows' multiply-adds at each position. Source: Szegedy et al.
2015; Ismail Fawaz et al. 2020 (InceptionTime). Ours: no mixture where one channel reaches it, as in theirs; padding
never counts in the maximum.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.conv import Conv
from vicinal.representations.layers.geometry import Facts, Padding, Shape, Taps, n_values, taps_of
from vicinal.representations.layers.norm import BatchNorm
from vicinal.representations.layers.pool import WindowPool

__all__ = ["N_BRANCHES", "Inception", "InceptionModule"]

N_BRANCHES = 4
_POOLED = 3


class Inception(nn.Module):
    """One or more inception modules over (batch, in, height, width).

    Args:    shape: (in, *positions) that reach it.  units: channels that leave it, a multiple of 4.
             window: the longest one, at least 4, per position axis.
             depth: modules; with more than one, a shortcut leads around them.  padding: "same" or "causal".
    """

    def __init__(
        self, shape: Shape, *, units: int, window: tuple[int, ...], depth: int, padding: Padding
    ) -> None:
        super().__init__()
        modules = [
            InceptionModule(
                shape if k == 0 else (units, *shape[1:]), units=units, window=window, padding=padding
            )
            for k in range(depth)
        ]
        self.stack = nn.ModuleList(modules)
        output = (units, *shape[1:])
        point = (Taps(1),) * len(window)
        self.shortcut = Conv(shape, units=units, taps=point, bias=False) if depth > 1 else None
        self.shortcut_norm = BatchNorm(output) if depth > 1 else None
        longest = modules[0].longest
        ahead = sum(max(longest[-1].right_of, 0) for _ in modules)
        waiting = max(0, ahead - modules[0].kept) if self.shortcut else 0
        self.facts = Facts(
            output,
            paths=((longest,) * depth,),
            multiply_adds=sum(one.multiply_adds for one in modules)
            + (self.shortcut.facts.multiply_adds if self.shortcut else 0),
            state_values=sum(one.state_values for one in modules) + shape[0] * waiting,
            dense_parameters=sum(one.dense_parameters for one in modules),
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the weights of the windows; the norms begin as the identity."""
        for part in self.modules():
            if isinstance(part, Conv | BatchNorm):
                part.initialise(generator)

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None = None
    ) -> tuple[Float[Tensor, "batch out height width"], Int64[Tensor, " batch"] | None]:
        """Return the last module's channels, with the shortcut added where there is one; lengths stay."""
        y = x
        for module in self.stack:
            y = module(y, lengths)
        if self.shortcut is not None and self.shortcut_norm is not None:
            around, _ = self.shortcut_norm(*self.shortcut(x, lengths))
            y = around.add_(y).relu_()
        return y, lengths


class InceptionModule(nn.Module):
    """Mixture, three windows and a maximum side by side, norm, relu.

    Args:    shape, units, window, padding: as for `Inception`.
    """

    def __init__(self, shape: Shape, *, units: int, window: tuple[int, ...], padding: Padding) -> None:
        super().__init__()
        quarter, axes = units // N_BRANCHES, len(window)
        point = (Taps(1),) * axes
        mixes = shape[0] > 1
        self.mixture = Conv(shape, units=quarter, taps=point, bias=False) if mixes else None
        mixed = (quarter, *shape[1:]) if mixes else shape
        taps = [taps_of(tuple(size // part for size in window), padding=padding) for part in (1, 2, 4)]
        self.windows = nn.ModuleList(Conv(mixed, units=quarter, taps=one, bias=False) for one in taps)
        near = taps_of((_POOLED,) * axes, padding=padding)
        self.pool = WindowPool(shape, how="max", taps=near)
        self.pooled = Conv(shape, units=quarter, taps=point, bias=False)
        output = (units, *shape[1:])
        self.norm = BatchNorm(output)
        self.longest = taps[0]
        convs = [part for part in self.modules() if isinstance(part, Conv)]
        self.multiply_adds = sum(conv.facts.multiply_adds for conv in convs)
        self.dense_parameters = n_values(output) * n_values(shape)
        time = taps[0][-1]
        # The maximum waits for the longest window: so long, and the one position behind it, it needs the input.
        self.kept = max(time.right_of, near[-1].right_of) + near[-1].left
        if mixes:
            self.state_values = quarter * (time.reach - 1) + shape[0] * self.kept
        else:
            self.kept = max(self.kept, time.reach - 1)
            self.state_values = self.kept

    def forward(
        self, x: Float[Tensor, "batch in height width"], lengths: Int64[Tensor, " batch"] | None
    ) -> Float[Tensor, "batch out height width"]:
        """Return the four quarters, normed and cut off at zero."""
        mixed = x if self.mixture is None else self.mixture(x, lengths)[0]
        branches = [window(mixed, lengths)[0] for window in self.windows]
        branches.append(self.pooled(*self.pool(x, lengths))[0])
        y, _ = self.norm(torch.cat(branches, dim=1), lengths)
        relued: Tensor = y.relu_()
        return relued
