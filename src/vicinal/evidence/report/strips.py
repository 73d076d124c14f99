"""ECG paper as SVG: signals on a grid of millimetres, 25 mm a second and 10 mm a millivolt.

Takes samples, returns text. Must not know models, scores or pages.
"""

import html
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

__all__ = ["Paper", "paper"]

_MM_PER_S = 25.0
_MM_PER_MV = 10.0
_ROW_S = 10.0
_DOTS = 20  # a coordinate is 1/20 mm, so that whole numbers are fine enough
_TO_MV = {"mV": 1.0, "uV": 1e-3, "V": 1e3}


class Paper(NamedTuple):
    """A drawing, its natural width in mm (before enlargement) and what its scale is, in words."""

    svg: str
    width_mm: float
    scale: str


def paper(samples: Float[np.ndarray, "channels time"], *, rate_hz: float, unit: str, label: str) -> Paper:
    """Draw the channels below each other, in rows of 10 s.

    Args:    samples: NaN where missing, drawn as a gap.  unit: mV, uV, V; anything else is scaled to fit.
             label: what the drawing shows, for who cannot see it.
    """
    known = unit in _TO_MV
    heights = samples * _TO_MV[unit] * _MM_PER_MV if known else _fitted(samples)
    per_row = max(2, round(_ROW_S * rate_hz))
    rows = [
        channel[start : start + per_row]
        for channel in heights
        for start in range(0, channel.size, per_row)
        if channel.size - start > 1
    ]
    longest = max((row.size for row in rows), default=2)
    width = max(5.0, np.ceil(longest / rate_hz * _MM_PER_S / 5) * 5)
    drawn, top = [], 0.0
    for row in rows:
        low, high = _range(row)
        drawn.append(_trace(row, mm_per_sample=_MM_PER_S / rate_hz, baseline=top + high))
        top += high - low
    height = max(top, 5.0)
    svg = (
        f'<svg class="paper" viewBox="0 0 {width * _DOTS:.0f} {height * _DOTS:.0f}" role="img" '
        f'aria-label="{html.escape(label)}"><path class="fine" d="{_grid(width, height, 1)}"/>'
        f'<path class="bold" d="{_grid(width, height, 5)}"/><path class="trace" d="{"".join(drawn)}"/></svg>'
    )
    return Paper(
        svg, float(width), "25 mm/s, 10 mm/mV" if known else f"25 mm/s, height scaled to fit ({unit})"
    )


def _fitted(samples: Float[np.ndarray, "channels time"]) -> Float[np.ndarray, "channels time"]:
    """Scale to a spread of 20 mm where millivolts mean nothing."""
    finite = samples[np.isfinite(samples)]
    low, high = np.percentile(finite, [0.5, 99.5]) if finite.size else (0.0, 1.0)
    return np.asarray((samples - low) * 20 / max(high - low, 1e-12))


def _range(row: Float[np.ndarray, " time"]) -> tuple[float, float]:
    """Return the mm a row needs, in whole squares of 5 mm, at most 60 mm: a spike must not hide the rest."""
    finite = row[np.isfinite(row)]
    if not finite.size:
        return -5.0, 5.0
    low, high = np.floor(finite.min() / 5 - 0.2) * 5, np.ceil(finite.max() / 5 + 0.2) * 5
    if high - low > 60:
        middle = np.round(np.median(finite) / 5) * 5
        low, high = max(low, middle - 30), min(high, middle + 30)
    return float(low), float(max(high, low + 15))


def _grid(width: float, height: float, step: int) -> str:
    across = "".join(f"M{x * _DOTS} 0V{height * _DOTS:.0f}" for x in range(0, int(width) + 1, step))
    return across + "".join(f"M0 {y * _DOTS}H{width * _DOTS:.0f}" for y in range(0, int(height) + 1, step))


def _trace(row: Float[np.ndarray, " time"], *, mm_per_sample: float, baseline: float) -> str:
    low, high = _range(row)
    clipped = np.clip(row, low, high)
    return "".join(_run(clipped, run, mm_per_sample, baseline) for run in _runs(np.isfinite(row)))


def _runs(known: np.ndarray) -> Iterator[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        yield slice(int(start), int(stop))


def _run(row: Float[np.ndarray, " time"], run: slice, mm_per_sample: float, baseline: float) -> str:
    x = np.rint(np.arange(run.start, run.stop) * mm_per_sample * _DOTS).astype(np.int64)
    y = np.rint((baseline - row[run]) * _DOTS).astype(np.int64)
    steps = " ".join(f"{dx} {dy}" for dx, dy in zip(np.diff(x), np.diff(y), strict=True))
    return f"M{x[0]} {y[0]}l{steps or '0 0'}"
