"""Signals of unequal length in one batch: which positions are real, and zeros in all others.

Along time only. `lengths` is None when every row is full; then nothing is computed.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from vicinal.representations.layers.geometry import Taps

__all__ = ["output_lengths", "past", "wide", "zero_past_", "zero_tails_"]


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return the precision of sums and statistics over values of this one: float32, or float64 for float64."""
    return torch.promote_types(dtype, torch.float32)


def past(
    x: Float[Tensor, "batch channels 1 time"], lengths: Int64[Tensor, " batch"]
) -> Bool[Tensor, "batch 1 1 time"]:
    """Return where positions lie past the length of their row."""
    positions = torch.arange(x.shape[-1], device=x.device)
    return positions >= lengths[:, None, None, None]


def zero_past_(
    x: Float[Tensor, "batch channels *positions"], lengths: Int64[Tensor, " batch"] | None
) -> Float[Tensor, "batch channels *positions"]:
    """Set positions past the length to zero, in place, and return x; nothing to do without lengths.

    Only for tensors that their maker's gradient does not need (what a window or a norm gives, not relu's).
    """
    if lengths is None:
        return x
    zeroed: Tensor = _ZeroPast.apply(x, lengths)  # type: ignore[no-untyped-call]  # torch does not annotate it
    return zeroed


def zero_tails_(
    x: Float[Tensor, "batch channels 1 time"], lengths: Int64[Tensor, " batch"]
) -> Float[Tensor, "batch channels 1 time"]:
    """Zero what lies past the lengths, in place, outside of any gradient.

    On a processor only the tails are touched: a mask over everything would read and write all of it.
    """
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return x.masked_fill_(past(x, lengths), 0.0)
    for row, length in enumerate(lengths.tolist()):
        if length < x.shape[-1]:
            x[row, ..., length:] = 0.0
    return x


class _ZeroPast(torch.autograd.Function):
    """Zero the tails of the values on the way forth, and of the gradient on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lengths: Tensor) -> Tensor:
        ctx.save_for_backward(lengths)
        ctx.mark_dirty(x)
        return zero_tails_(x, lengths)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        # A copy: others may read this gradient too.
        return zero_tails_(gradient.clone(), *ctx.saved_tensors), None


def output_lengths(
    lengths: Int64[Tensor, " batch"] | None, taps: tuple[Taps, ...]
) -> Int64[Tensor, " batch"] | None:
    """Return how many output positions have windows that lie in the real part, by the rule of Taps.count."""
    if lengths is None:
        return None
    time = taps[-1]
    room = lengths + (time.left + time.right - time.reach)
    return (torch.div(room, time.stride, rounding_mode="floor") + 1).clamp(min=0)
