"""Pooling over all positions (`mean`, `max`, `mean-max`, `last`, `attention-pool`, `flatten`) or in windows.

What they claim about the data: it matters that a pattern is there, not exactly where (all but `last` and
`flatten`, which keep the place).
Shapes: (channels, *positions) -> (channels,), twice as many for `mean-max`, all values for `flatten`; with a window
(channels, *new positions). For signals and images; `last` for signals.
Parameters: none, `attention-pool` one per channel. Cost: one pass over the values. Sources: LeCun et al. 1989 for
means, Ranzato et al. 2007 for maxima, Ilse et al. 2018 for attention. Ours: positions past the length and padding
are left out; a row without any gives zeros.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vicinal.representations.layers.geometry import Facts, Shape, Taps, n_values
from vicinal.representations.layers.initial import draw_head_
from vicinal.representations.layers.lengths import output_lengths, past, wide, zero_past_

__all__ = ["AttentionPool", "Flatten", "GlobalPool", "WindowPool", "max_over", "mean_over"]

Maps = Float[Tensor, "batch channels height width"]
Pooled = Float[Tensor, "batch channels new_height new_width"]
Features = Float[Tensor, "batch features"]
Lengths = Int64[Tensor, " batch"] | None
How = Literal["mean", "max", "mean-max", "last"]


def mean_over(x: Maps, lengths: Lengths) -> Features:
    """Return the mean of each channel over the real positions, in float32. (x is zero past the length.)"""
    if lengths is None:
        return x.mean((2, 3), dtype=wide(x.dtype))
    return x.sum((2, 3), dtype=wide(x.dtype)) / lengths.clamp(min=1)[:, None]


def max_over(x: Maps, lengths: Lengths) -> Features:
    """Return the greatest value of each channel over the real positions, in float32."""
    if lengths is None:
        return x.amax((2, 3)).to(wide(x.dtype))
    highest = x.masked_fill(past(x, lengths), -torch.inf).amax((2, 3)).to(wide(x.dtype))
    return highest.masked_fill((lengths == 0)[:, None], 0.0)


def _last(x: Maps, lengths: Lengths) -> Features:
    """Return each channel at the last real position, in float32."""
    if lengths is None:
        return x[:, :, -1, -1].to(wide(x.dtype))
    rows = torch.arange(x.shape[0], device=x.device)
    return x[rows, :, -1, (lengths - 1).clamp(min=0)].to(
        wide(x.dtype)
    )  # zero where there is no real position


class GlobalPool(nn.Module):
    """All positions of a channel become one value (`mean-max`: two, all means before all maxima).

    Args:    shape: (channels, *positions) that reach it.  how: which value.
    """

    def __init__(self, shape: Shape, *, how: How) -> None:
        super().__init__()
        self.how = how
        n = shape[0]
        state = {"mean": n + 1, "max": n, "mean-max": 2 * n + 1, "last": n}[how]  # sums and a count
        self.facts = Facts((2 * n if how == "mean-max" else n,), paths=None, state_values=state)

    def initialise(self, generator: torch.Generator) -> None:
        """Nothing to draw."""

    def forward(self, x: Maps, lengths: Lengths = None) -> tuple[Features, None]:
        """Return the features; no lengths are left."""
        if self.how == "last":
            return _last(x, lengths), None
        if self.how == "mean-max":
            return torch.cat([mean_over(x, lengths), max_over(x, lengths)], dim=1), None
        return (mean_over if self.how == "mean" else max_over)(x, lengths), None


class AttentionPool(nn.Module):
    """A mean whose weights are a softmax, over the real positions, of one learnt score per position.

    Source: Ilse et al. 2018, without their hidden layer and gate. Begins near the plain mean.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape[0]))
        n = n_values(shape)
        self.facts = Facts((shape[0],), paths=None, multiply_adds=2 * n, state_values=shape[0] + 2)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the scores' weights, small."""
        draw_head_(self.weight, fan_in=self.weight.shape[0], generator=generator)

    def forward(self, x: Maps, lengths: Lengths = None) -> tuple[Features, None]:
        """Return the weighted means, in float32; no lengths are left."""
        values = x.to(wide(x.dtype))
        scores = torch.einsum("bchw,c->bhw", values, self.weight)
        if lengths is not None:
            scores = scores.masked_fill(past(x, lengths)[:, 0], torch.finfo(scores.dtype).min)
        shares = scores.flatten(1).softmax(dim=1).view(scores.shape)
        return torch.einsum("bchw,bhw->bc", values, shares), None


class Flatten(nn.Module):
    """All values as features, channel after channel: what follows knows where each one lies."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.facts = Facts((n_values(shape),), state_values=None)

    def initialise(self, generator: torch.Generator) -> None:
        """Nothing to draw."""

    def forward(self, x: Maps, lengths: Lengths = None) -> tuple[Features, None]:  # noqa: ARG002  (zeros stay)
        """Return the features; positions past the length are zeros."""
        return x.flatten(1), None


class WindowPool(nn.Module):
    """The mean or the greatest value of each window; padding and positions past the length are left out.

    Args:    shape: (channels, *positions) that reach it.  how: which value.  taps: one per axis.
    """

    def __init__(self, shape: Shape, *, how: Literal["mean", "max"], taps: tuple[Taps, ...]) -> None:
        super().__init__()
        self.how = how
        self.taps = taps
        output = (shape[0], *(one.count(n) for one, n in zip(taps, shape[1:], strict=True)))
        self.facts = Facts(output, paths=((taps,),), state_values=shape[0] * (taps[-1].reach - 1))

    def initialise(self, generator: torch.Generator) -> None:
        """Nothing to draw."""

    def forward(self, x: Maps, lengths: Lengths = None) -> tuple[Pooled, Lengths]:
        """Return the pooled windows and their lengths."""
        new_lengths = output_lengths(lengths, self.taps)
        y = self._max(x, lengths) if self.how == "max" else self._mean(x, lengths)
        return zero_past_(y, new_lengths), new_lengths

    def _max(self, x: Maps, lengths: Lengths) -> Pooled:
        window, stride, pads = self._sizes()
        if any(pads):  # a window may hold padding: make sure that it never wins
            x = x if lengths is None else x.masked_fill(past(x, lengths), -torch.inf)
            x = F.pad(x, pads, value=-torch.inf)
        return F.max_pool2d(x, window, stride)

    def _mean(self, x: Maps, lengths: Lengths) -> Pooled:
        window, stride, pads = self._sizes()
        if not any(pads):
            return F.avg_pool2d(x, window, stride)
        real = torch.ones_like(x[:, :1])
        real = zero_past_(real, lengths)
        share = F.avg_pool2d(F.pad(real, pads), window, stride)
        least = 1.0 / (window[0] * window[1])
        return F.avg_pool2d(F.pad(x, pads), window, stride) / share.clamp(min=least)

    def _sizes(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int, int, int]]:
        vertical, horizontal = self.taps if len(self.taps) == 2 else (Taps(1), *self.taps)
        pads = (horizontal.left, horizontal.right, vertical.left, vertical.right)
        return (vertical.window, horizontal.window), (vertical.stride, horizontal.stride), pads
