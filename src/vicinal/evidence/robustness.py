"""Robustness: what the evidence becomes when the same test rows arrive a little differently.

Is handed arrays and a `score` function; must not know networks.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Float32, Float64
from sklearn.metrics import roc_auc_score

from vicinal.errors import ExperimentError

__all__ = ["auroc_under_shifts", "shifted"]

Samples = Float32[np.ndarray, "rows channels time"]


def shifted(samples: Samples, n_positions: int) -> Samples:
    """Return the signals moved later by `n_positions` (earlier when negative); the edge value fills the gap.

    Raises:  ExperimentError: when nothing of the signal would be left.
    """
    length = samples.shape[-1]
    if abs(n_positions) >= length:
        raise ExperimentError(
            f"a shift by {n_positions} leaves nothing of {length} positions. Shift by less."
        )
    sources = np.clip(np.arange(length) - n_positions, 0, length - 1)
    return np.ascontiguousarray(samples[..., sources])


def auroc_under_shifts(
    score: Callable[[Samples], Float[np.ndarray, " rows"]],
    samples: Samples,
    truth: Float64[np.ndarray, " rows"],
    *,
    shifts: Sequence[int],
) -> dict[int, float]:
    """Return for each shift the AUROC when all rows are moved by it, the mean of earlier and later.

    Args:    score: from samples to one score a row.  truth: 1 or 0, both present.
             shifts: positions, >= 0; 0 is no shift.
    """
    values = {}
    for shift in shifts:
        moves = (shift, -shift) if shift else (0,)
        values[shift] = float(
            np.mean([roc_auc_score(truth, score(shifted(samples, move))) for move in moves])
        )
    return values
