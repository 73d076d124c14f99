"""Signals of unequal length in one batch: which positions are real, and zeros in all others.

Along time only. `lengths` is None when every row is full; then nothing is computed.
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from vicinal.representations.layers.geometry import Taps

__all__ = ["output_lengths", "past", "zero_past_"]


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
    return x if lengths is None else x.masked_fill_(past(x, lengths), 0.0)


def output_lengths(
    lengths: Int64[Tensor, " batch"] | None, taps: tuple[Taps, ...]
) -> Int64[Tensor, " batch"] | None:
    """Return how many output positions have windows that lie in the real part, by the rule of Taps.count."""
    if lengths is None:
        return None
    time = taps[-1]
    room = lengths + (time.left + time.right - time.reach)
    return (torch.div(room, time.stride, rounding_mode="floor") + 1).clamp(min=0)
