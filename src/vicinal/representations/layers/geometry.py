"""What a layer sees and costs, as plain data: the taps of a window, and the facts of a layer in its place.

Every layer states its `facts` when it is made; inspection only adds them up. Nothing here knows tensors.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int

__all__ = ["Facts", "Padding", "Path", "Shape", "Taps", "compose", "n_values", "taps_of"]

Shape = tuple[int, ...]
"""(channels, *positions), or (features,) once a head has taken the positions away."""

Padding = Literal["valid", "same", "causal"]


@dataclass(frozen=True)
class Taps:
    """Where a window's taps fall along one axis: output p reads p * stride - left + k * dilation.

    Args:    window: number of taps.  stride, dilation: in positions.  left, right: zeros put on each side.
    """

    window: int
    stride: int = 1
    dilation: int = 1
    left: int = 0
    right: int = 0

    @classmethod
    def padded(cls, window: int, *, stride: int, dilation: int, padding: Padding) -> "Taps":
        """Taps under a padding rule; the left pad never depends on the length of the signal."""
        total = 0 if padding == "valid" else (window - 1) * dilation
        left = total if padding == "causal" else total // 2
        return cls(window, stride, dilation, left, total - left)

    @property
    def reach(self) -> int:
        """Positions from the first tap to the last, both counted."""
        return (self.window - 1) * self.dilation + 1

    @property
    def right_of(self) -> int:
        """How many positions the last tap lies behind p * stride (negative: before)."""
        return self.reach - 1 - self.left

    def count(self, n: int) -> int:
        """Return the number of output positions for n input positions."""
        return max(0, (n + self.left + self.right - self.reach) // self.stride + 1)

    def sources(self, outputs: Int[np.ndarray, " n"], n: int) -> Int[np.ndarray, " m"]:
        """Return the input positions, of n, that these output positions read."""
        first = outputs * self.stride - self.left
        seen = np.unique(first[:, None] + self.dilation * np.arange(self.window))
        return seen[(seen >= 0) & (seen < n)]


def taps_of(
    window: tuple[int, ...],
    *,
    padding: Padding,
    stride: tuple[int, ...] | None = None,
    dilation: tuple[int, ...] | None = None,
) -> tuple[Taps, ...]:
    """Return the taps of a window along each axis under one padding rule; strides and dilations of 1 when None."""
    ones = (1,) * len(window)
    sizes = zip(window, stride or ones, dilation or ones, strict=True)
    return tuple(Taps.padded(w, stride=s, dilation=d, padding=padding) for w, s, d in sizes)


Path = tuple[tuple[Taps, ...], ...]
"""One way through a layer, from its input to its output: steps, each with one Taps per axis."""


@dataclass(frozen=True)
class Facts:
    """A layer in its place.

    Args:    shape: what leaves it.
             paths: the ways by which an output position sees input positions (no steps: only itself);
             None when each output sees every position or feature.
             past_only: with `paths` None, an output sees only the positions up to its own.
             multiply_adds: of windows and matrix products, for one signal (sums and norms count nothing).
             state_values: numbers a stream must keep between steps; None when it cannot run as a stream,
             for the reason `no_stream`.
             dense_parameters: of dense layers from all inputs to all outputs that could do the same.
    """

    shape: Shape
    paths: tuple[Path, ...] | None = ((),)
    past_only: bool = False
    multiply_adds: int = 0
    state_values: int | None = 0
    no_stream: str = "ties its weights to the places of a whole signal"
    dense_parameters: int = 0


def compose(paths: tuple[Path, ...], axis: int, before: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return (stride, left, right) after a layer, the widest of its paths, from those before it.

    An output p sees the input positions from p * stride - left to p * stride + right.
    """
    ends = []
    for path in paths:
        stride, left, right = before
        for step in path:
            taps = step[axis]
            left, right = left + taps.left * stride, right + taps.right_of * stride
            stride *= taps.stride
        ends.append((stride, left, right))
    return ends[0][0], max(end[1] for end in ends), max(end[2] for end in ends)


def n_values(shape: Shape) -> int:
    """Return the number of values in a shape."""
    return int(np.prod(shape, dtype=np.int64))
