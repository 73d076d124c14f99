"""What a network looked at, as colour: how much stretches of samples add to a score, in a few steps of two hues.

Takes arrays, returns small whole numbers. Must not know how they were made, nor what is drawn with them.
"""

import numpy as np
from jaxtyping import Float, Int

__all__ = ["N_LEVELS", "levels", "stretches"]

N_LEVELS = 4
"""Steps of each hue; so few that rounding on another machine does not change a page."""

_STRETCHES_PER_ROW = 100


def stretches(length: int, *, per_row: int) -> Int[np.ndarray, " edges"]:
    """Return the edges of stretches of a row of samples, a hundredth of a full row each.

    Args:    length: samples of this row.  per_row: of a full row, which may be longer.
    """
    n = max(1, round(length * _STRETCHES_PER_ROW / max(per_row, length)))
    return np.linspace(0, length, min(n, length) + 1).astype(int)


def levels(sums: Float[np.ndarray, "*any"], *, largest: float) -> Int[np.ndarray, "*any"]:
    """Return -4 to 4 for what stretches add: 4 for a sum as large as the largest of the picture, 0 for none."""
    if largest <= 0:
        return np.zeros(sums.shape, dtype=int)
    return np.clip(np.rint(N_LEVELS * sums / largest), -N_LEVELS, N_LEVELS).astype(int)
