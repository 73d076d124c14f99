"""Images as SVG: one rectangle for each run of equal pixels, dark to light from least to largest value.

Takes samples, returns text. Must not know models, scores or pages.
"""

import html
import itertools

import numpy as np
from jaxtyping import Float, UInt8

from vicinal.evidence.report.bands import levels
from vicinal.evidence.report.strips import Paper

__all__ = ["picture"]

_MOST_PIXELS = 64
_WIDTH_MM = 40.0
_LEVELS = 63


def picture(
    samples: Float[np.ndarray, "channels height width"],
    *,
    label: str,
    adds: Float[np.ndarray, "channels height width"] | None = None,
) -> Paper:
    """Draw an image: three channels as red, green and blue, any other number as the mean of them in grey.

    Args:    samples: finite values of any range.  label: what the drawing shows, for who cannot see it.
             adds: like samples: what each adds to a score, drawn beside the image, which a tint would hide.
    """
    stride = -(-max(samples.shape[1:]) // _MOST_PIXELS)
    shown = samples[:, ::stride, ::stride]
    if len(shown) != 3:
        shown = np.broadcast_to(shown.mean(axis=0), (3, *shown.shape[1:]))
    low, high = float(shown.min()), float(shown.max())
    # A page of hundreds of thousands of colours would be megabytes; sixty-four steps look the same.
    levels = np.rint((shown - low) / ((high - low) or 1.0) * _LEVELS) * (255 / _LEVELS)
    colours = np.rint(levels).astype(np.uint8).transpose(1, 2, 0)
    height, width = colours.shape[:2]
    drawn = "".join(_row(y, row) for y, row in enumerate(colours))
    beside = "" if adds is None else f'<g transform="translate({width + 1})">{_tint(adds, stride)}</g>'
    wide = width if adds is None else 2 * width + 1
    svg = (
        f'<svg class="paper" viewBox="0 0 {wide} {height}" role="img" shape-rendering="crispEdges" '
        f'aria-label="{html.escape(label)}">{drawn}{beside}</svg>'
    )
    fewer = f", every {stride}th pixel" if stride > 1 else ""
    return Paper(svg, _WIDTH_MM * wide / width, f"dark {low:.3g} to light {high:.3g}{fewer}")


def _row(y: int, row: UInt8[np.ndarray, "width 3"]) -> str:
    start, parts = 0, []
    for colour, run in itertools.groupby(row.tolist()):
        length = len(list(run))
        red, green, blue = colour
        parts.append(f'<path fill="#{red:02x}{green:02x}{blue:02x}" d="M{start} {y}h{length}v1h-{length}z"/>')
        start += length
    return "".join(parts)


def _tint(adds: Float[np.ndarray, "channels height width"], stride: int) -> str:
    """Tint each drawn pixel by what it and those left out beside it add."""
    sums = adds.sum(axis=0)
    for axis in (0, 1):
        sums = np.add.reduceat(sums, np.arange(0, sums.shape[axis], stride), axis=axis)
    tints = levels(sums, largest=float(np.abs(sums).max()))
    boxes: dict[int, str] = {}
    for y, x in np.argwhere(tints).tolist():
        boxes[int(tints[y, x])] = boxes.get(int(tints[y, x]), "") + f"M{x} {y}h1v1h-1z"
    return "".join(
        f'<path class="{"for" if level > 0 else "against"} l{abs(level)}" d="{d}"/>'
        for level, d in sorted(boxes.items())
    )
