"""Augmentation of images: shifts and flips of rows (batch, channels, height, width), by an rng.

Rows are arrays, or tensors on any device. Must not know labels, packs or networks.
"""

from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.inputs.array_kind import beside, kind_of

__all__ = ["flip_across", "flip_down", "image_shift"]

Images: TypeAlias = Float32[Any, "batch channels height width"]
Lengths: TypeAlias = Int64[np.ndarray, " batch"]


def flip_across(x: Images, lengths: Lengths, rng: np.random.Generator) -> Images:
    """Mirror each image left to right with probability one half."""
    del lengths
    return _mirrored(x, 3, rng)


def flip_down(x: Images, lengths: Lengths, rng: np.random.Generator) -> Images:
    """Mirror each image top to bottom with probability one half."""
    del lengths
    return _mirrored(x, 2, rng)


def image_shift(x: Images, lengths: Lengths, rng: np.random.Generator, *, limit: float) -> Images:
    """Move each image by whole pixels, up to the share `limit` of each side; what moves in is zero."""
    del lengths
    down, inside_down = _moved(x.shape[2], len(x), rng, limit=limit)
    across, inside_across = _moved(x.shape[3], len(x), rng, limit=limit)
    rows, down, across = (
        beside(x, at) for at in (np.arange(len(x))[:, None, None], down[:, :, None], across[:, None, :])
    )
    taken = x[rows, :, down, across]
    inside = beside(x, (inside_down[:, :, None] & inside_across[:, None, :])[:, None])
    # The image axes were indexed apart from the channels, which are therefore put last.
    return kind_of(x).where(inside, kind_of(x).moveaxis(taken, 3, 1), beside(x, np.float32(0)))


def _mirrored(x: Images, axis: int, rng: np.random.Generator) -> Images:
    some = beside(x, rng.random((len(x), 1, 1, 1)) < 0.5)
    return kind_of(x).where(some, kind_of(x).flip(x, (axis,)), x)


def _moved(
    n: int, batch: int, rng: np.random.Generator, *, limit: float
) -> tuple[Int64[np.ndarray, "batch n"], np.ndarray]:
    """Return which pixel each one comes from along one side, and whether there is one."""
    most = round(limit * n)
    places = np.arange(n) - rng.integers(-most, most + 1, (batch, 1))
    return np.clip(places, 0, n - 1), (places >= 0) & (places < n)
