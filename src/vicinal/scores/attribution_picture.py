"""What a score rests on as inline SVG: bands of colour behind each channel.

Takes arrays, returns text. Must not know models, nor what stands around the picture.
"""

import numpy as np
from jaxtyping import Float

__all__ = ["STYLE", "bands", "stretches"]

STYLE = ".for { fill: #e0702a; } .against { fill: #2c7fc4; }"
"""Orange raises the score, blue lowers it."""

_LEVELS = 8


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
