"""What a score rests on, in colour: bands behind each channel of a signal as inline SVG, a tint over an image.

Takes arrays, returns text or colours. Must not know models, nor what stands around the picture.
"""

import numpy as np
from jaxtyping import Float

__all__ = ["STYLE", "bands", "stretches", "tinted"]

_FOR, _AGAINST = "#e0702a", "#2c7fc4"
STYLE = f".for {{ fill: {_FOR}; }} .against {{ fill: {_AGAINST}; }}"
"""Orange raises the score, blue lowers it."""

_LEVELS = 8
_MOST_CELLS = 64
"""Along each axis of an image: pixels of a larger one are tinted by what those of a cell add together."""
_DARKEST = 0.6
"""Of the image below a tint: on black an orange would be brown."""


def bands(
    values: Float[np.ndarray, " length"], *, largest: float, width: float, top: float, height: float
) -> str:
    """Draw what stretches of one channel add, as rectangles behind it.

    Args:    values: what each sample adds.  largest: the sum of a stretch that gets full colour; 0 draws nothing.
             width, top, height: of the channel's strip.
    """
    edges, sums = stretches(values, width=width)
    drawn = []
    for start, stop, value in zip(edges[:-1], edges[1:], sums, strict=True):
        level = int(np.rint(_LEVELS * min(abs(value) / largest, 1.0))) if largest else 0
        if level:
            x, wide = width * start / len(values), width * (stop - start) / len(values)
            kind = "for" if value > 0 else "against"
            drawn.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{height:.1f}" '
                f'opacity="{0.7 * level / _LEVELS:.2f}"/>'
            )
    return "".join(drawn)


def stretches(
    values: Float[np.ndarray, "*channels length"], *, width: float
) -> tuple[np.ndarray, Float[np.ndarray, "*channels stretches"]]:
    """Return the edges of stretches of about 5 pixels, and the sum of the values in each."""
    n = min(values.shape[-1], max(1, round(width / 5)))
    edges = np.linspace(0, values.shape[-1], n + 1).astype(int)
    return edges, np.add.reduceat(values, edges[:-1], axis=-1)


def tinted(
    image: Float[np.ndarray, "channels height width"], values: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "3 height width"]:
    """Return an image in pale grey with a tint over it: the stronger, the more a pixel adds.

    Args:    image: of any range.  values: what each pixel adds; all 0 tints nothing.
    Returns: red, green and blue, from 0 to 1.
    """
    grey = image.mean(axis=0)
    low, high = float(grey.min()), float(grey.max())
    grey = (grey - low) / (high - low) if high > low else np.full(grey.shape, 0.5)
    grey = _DARKEST + (1 - _DARKEST) * grey
    cells = _celled(values)
    largest = float(np.abs(cells).max())
    share = np.abs(cells) / largest if largest else np.zeros(cells.shape)
    colours = np.where(cells > 0, *(_rgb(name)[:, None, None] for name in (_FOR, _AGAINST)))
    found: Float[np.ndarray, "3 height width"] = (1 - share) * grey + share * colours
    return found


def _celled(values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """Return the sum over each pixel's cell, at every pixel."""
    for axis, n in enumerate(values.shape):
        edges = np.linspace(0, n, min(n, _MOST_CELLS) + 1).astype(int)
        sums = np.add.reduceat(values, edges[:-1], axis=axis)
        values = np.repeat(sums, np.diff(edges), axis=axis)
    return values


def _rgb(colour: str) -> Float[np.ndarray, " 3"]:
    return np.array(list(bytes.fromhex(colour[1:]))) / 255
