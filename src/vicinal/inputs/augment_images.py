"""Augmentation of images: shifts and flips of rows (batch, channels, height, width), by an rng.

Knows arrays; must not know labels, packs or networks.
"""

from typing import TypeAlias

import numpy as np
from jaxtyping import Float32, Int64

__all__ = ["flip_across", "flip_down", "image_shift"]

Images: TypeAlias = Float32[np.ndarray, "batch channels height width"]
Lengths: TypeAlias = Int64[np.ndarray, " batch"]


def flip_across(x: Images, lengths: Lengths, rng: np.random.Generator) -> Images:
    """Mirror each image left to right with probability one half."""
    del lengths
    return np.where(rng.random((len(x), 1, 1, 1)) < 0.5, x[:, :, :, ::-1], x)


def flip_down(x: Images, lengths: Lengths, rng: np.random.Generator) -> Images:
    """Mirror each image top to bottom with probability one half."""
    del lengths
    return np.where(rng.random((len(x), 1, 1, 1)) < 0.5, x[:, :, ::-1], x)


def image_shift(x: Images, lengths: Lengths, rng: np.random.Generator, *, limit: float) -> Images:
    """Move each image by whole pixels, up to the share `limit` of each side; what moves in is zero."""
    del lengths
    down, inside_down = _moved(x.shape[2], len(x), rng, limit=limit)
    across, inside_across = _moved(x.shape[3], len(x), rng, limit=limit)
    taken = x[np.arange(len(x))[:, None, None], :, down[:, :, None], across[:, None, :]]
    inside = inside_down[:, :, None] & inside_across[:, None, :]
    # The image axes were indexed apart from the channels, which NumPy therefore puts last.
    return np.where(inside[:, None], taken.transpose(0, 3, 1, 2), np.float32(0))


def _moved(
    n: int, batch: int, rng: np.random.Generator, *, limit: float
) -> tuple[Int64[np.ndarray, "batch n"], np.ndarray]:
    """Return which pixel each one comes from along one side, and whether there is one."""
    most = round(limit * n)
    places = np.arange(n) - rng.integers(-most, most + 1, (batch, 1))
    return np.clip(places, 0, n - 1), (places >= 0) & (places < n)
