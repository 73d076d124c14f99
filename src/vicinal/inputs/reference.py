"""Reference: what the training signals looked like, kept with a model so that later signals can be held against it.

Statistics only, never a recording. Knows prepared rows; must not know networks.
"""

from typing import Any

import numpy as np
from jaxtyping import Int64

from vicinal.inputs.batches import Rows
from vicinal.inputs.contract import Contract

__all__ = ["describe"]

_MOST_ROWS = 1000
_N_BANDS = 8
_PERCENTILES = (0.1, 1, 25, 50, 75, 99, 99.9)


def describe(rows: Rows, indices: Int64[np.ndarray, " m"], contract: Contract) -> dict[str, Any]:
    """Return range and spectrum of each channel over the training rows, at most 1,000 of them, evenly taken.

    Args:    indices: (m,) the training rows, at least one.
    Returns: JSON values: `n_rows`; per channel `percentiles` of the prepared samples, and `band_power`, the
             share of power in 8 equal bands from 0 Hz to half the rate (time signals only).
    """
    chosen = indices[np.unique(np.linspace(0, len(indices) - 1, _MOST_ROWS).round().astype(np.int64))]
    x, lengths = rows.rows(chosen)
    channels = {}
    for k, name in enumerate(contract.input_channels):
        pieces = [row[k].ravel()[:n] for row, n in zip(x, lengths, strict=True) if n > 0]
        percentiles = np.percentile(np.concatenate(pieces), _PERCENTILES)
        channels[name] = {
            "percentiles": {str(p): float(value) for p, value in zip(_PERCENTILES, percentiles, strict=True)},
            "band_power": _band_power(pieces) if x.ndim == 3 else None,
        }
    return {"n_rows": len(chosen), "channels": channels}


def _band_power(pieces: list[np.ndarray]) -> list[float]:
    """Return the share of power in equal bands, the mean over signals, each over its own length."""
    bands = np.zeros(_N_BANDS)
    for piece in pieces:
        power = np.abs(np.fft.rfft(piece - piece.mean())) ** 2
        edges = np.linspace(0, len(power), _N_BANDS + 1).astype(np.int64)
        bands += np.add.reduceat(np.append(power, 0.0), edges[:-1]) / len(piece) ** 2
    total = bands.sum()
    shares: list[float] = (bands / total if total > 0 else bands).tolist()
    return shares
