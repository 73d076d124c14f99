"""Images brought to a size: by resizing, or by cropping and padding.

Arrays in, arrays out; the same bits on every machine's number of threads. Must not know contracts or files.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy.sparse import csr_array

__all__ = ["place", "resize"]

Where = Literal["start", "centre", "end"]


def resize(
    image: Float64[np.ndarray, "channels height width"], size: tuple[int, int]
) -> Float64[np.ndarray, "channels new_height new_width"]:
    """Resize by triangles (linear interpolation), which widen to average over pixels when the image shrinks.

    Args:    image: (channels, height, width).  size: (height, width) wanted, from 1 each.
    Returns: (channels, *size). Pixel j of n stands for the share (j + 1/2) / n of the width, before and after.
    Source:  the `BILINEAR` filter of Pillow, which rounds to 8 bits where this does not.
    """
    down, across = (_weights(old, new) for old, new in zip(image.shape[1:], size, strict=True))
    return np.stack([(across @ (down @ plane).T).T for plane in image])


def place(
    image: Float64[np.ndarray, "channels height width"], size: tuple[int, int], *, where: Where = "centre"
) -> tuple[Float64[np.ndarray, "channels new_height new_width"], tuple[slice, slice]]:
    """Crop what is larger than `size` and put what is smaller into the middle of zeros.

    Args:    where: which part of a larger image is kept, `start` being the upper left.
    Returns: the image, and where in it the pixels of the given one are.
    """
    placed = np.zeros((len(image), *size))
    kept, filled = zip(
        *(_spans(old, new, where) for old, new in zip(image.shape[1:], size, strict=True)), strict=True
    )
    placed[:, *filled] = image[:, *kept]
    return placed, filled


def _spans(old: int, new: int, where: Where) -> tuple[slice, slice]:
    surplus, gap, length = max(old - new, 0), max(new - old, 0), min(old, new)
    start = {"start": 0, "centre": surplus // 2, "end": surplus}[where]
    return slice(start, start + length), slice(gap // 2, gap // 2 + length)


def _weights(old: int, new: int) -> csr_array:
    """Return (new, old) weights, each row a triangle that sums to 1."""
    width = max(old / new, 1.0)
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    first = np.floor(centres - width).astype(np.int64)
    columns = first[:, None] + np.arange(int(2 * width) + 3)
    weights = np.maximum(1 - np.abs(columns - centres[:, None]) / width, 0)
    weights *= (columns >= 0) & (columns < old)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.broadcast_to(np.arange(new)[:, None], columns.shape)
    used = weights > 0
    # A sparse product adds in a fixed order; a dense one may add in another on other numbers of threads.
    return csr_array((weights[used], (rows[used], columns[used])), shape=(new, old))
