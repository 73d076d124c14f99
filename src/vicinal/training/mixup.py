"""Mixup: rows of a batch mixed with one another, inputs and truths alike, so that a network is less sure between them.

Pure functions of arrays (or tensors, for inputs on a device) and an rng; must not know networks or losses.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.training.passed import Batch

__all__ = ["Mixed", "mix"]


@dataclass(frozen=True)
class Mixed:
    """A batch whose rows are mixtures; the fields of any batch."""

    x: Float32[Any, "b channels *positions"]
    lengths: Int64[np.ndarray, " b"] | None
    y: Float32[np.ndarray, "b k"]


def mix(batch: Batch, *, alpha: float, rng: np.random.Generator) -> Mixed:
    """Return share * row + (1 - share) * another row of the batch, for inputs and truths.

    The share is drawn once a batch from Beta(alpha, alpha), the other rows by a permutation. Inputs are zero past
    their lengths, so a mixture is as long as the longer of its two rows.

    Args:    batch: x (b, channels, *positions), lengths (b,) or None, y (b, K), soft truths allowed.  alpha: > 0.
    Source:  Zhang et al. 2018, arXiv:1710.09412.
    """
    # Rounded as single precision, and a plain number: what it multiplies may be a tensor.
    share = float(np.float32(rng.beta(alpha, alpha)))
    other = rng.permutation(len(batch.x))
    lengths = None if batch.lengths is None else np.maximum(batch.lengths, batch.lengths[other])
    rest = float(np.float32(1) - np.float32(share))
    return Mixed(share * batch.x + rest * batch.x[other], lengths, share * batch.y + rest * batch.y[other])
