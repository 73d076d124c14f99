"""What networks look at, on the same signals: small drawings that can be laid below each other.

Takes samples and what each of them adds to a score, returns SVG. Must not know networks or pages.
"""

import html

import numpy as np
from jaxtyping import Float

from vicinal.evidence.report.bands import levels, stretches
from vicinal.evidence.report.picture import picture

__all__ = ["map_drawing"]

_WIDTH, _STRIP = 300.0, 46.0
_MOST_CHANNELS = 3
"""Beyond, channels are drawn as the rows of an image: the bands of a spectrum."""

Samples = Float[np.ndarray, "channels *positions"]


def map_drawing(samples: Samples, adds: Samples, *, label: str) -> str:
    """Draw a signal with what each stretch of it adds to a score behind it: orange raises it, blue lowers it.

    Args:    samples: (channels, time) or (channels, height, width).  adds: like samples.
             label: for who cannot see it.
    """
    if samples.ndim == 3:
        return picture(samples, label=label, adds=adds).svg
    if len(samples) > _MOST_CHANNELS:
        # Low bands at the bottom, as spectra are drawn.
        return picture(samples[None, ::-1], label=label, adds=adds[None, ::-1]).svg
    height = _STRIP * len(samples)
    edges = stretches(samples.shape[-1], per_row=samples.shape[-1])
    sums = np.add.reduceat(adds, edges[:-1], axis=-1)
    largest = float(np.abs(sums).max())
    drawn = "".join(
        _strip(one, tints, edges, top=k * _STRIP)
        for k, (one, tints) in enumerate(zip(samples, levels(sums, largest=largest), strict=True))
    )
    return (
        f'<svg class="paper" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" aria-label="{html.escape(label)}">'
        f"{drawn}</svg>"
    )


def _strip(samples: Float[np.ndarray, " time"], tints: np.ndarray, edges: np.ndarray, *, top: float) -> str:
    n = len(samples)
    boxes = "".join(
        f'<rect class="{"for" if tint > 0 else "against"} l{abs(tint)}" x="{_WIDTH * start / n:.1f}" y="{top:.0f}" '
        f'width="{_WIDTH * (stop - start) / n:.1f}" height="{_STRIP:.0f}"/>'
        for start, stop, tint in zip(edges[:-1].tolist(), edges[1:].tolist(), tints.tolist(), strict=True)
        if tint
    )
    low, high = float(samples.min()), float(samples.max())
    shown = samples[:: max(1, n // 600)]
    x = np.linspace(0, _WIDTH, len(shown))
    y = top + _STRIP - 4 - (shown - low) / ((high - low) or 1.0) * (_STRIP - 8)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return f'{boxes}<polyline fill="none" stroke="#22303c" stroke-width="1" points="{line}"/>'
